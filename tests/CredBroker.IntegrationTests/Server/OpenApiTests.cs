using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Leases;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Server;

public sealed class OpenApiTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task Every_address_that_the_server_answers_is_described_and_no_other()
    {
        var document = await DocumentAsync();
        var described = document
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path =>
                path.Value.EnumerateObject().Select(operation => $"{operation.Name.ToUpperInvariant()} {path.Name}")
            );
        var served = _broker
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText != "/openapi/v1.json")
            .SelectMany(endpoint =>
                endpoint
                    .Metadata.GetMetadata<IHttpMethodMetadata>()!
                    .HttpMethods.Select(method => $"{method} {endpoint.RoutePattern.RawText}")
            );
        Assert.Equal(served.Order(), described.Order());
    }

    [Fact]
    public async Task Every_operation_has_a_name_a_summary_its_token_and_its_problems()
    {
        foreach (
            var path in (await DocumentAsync())
                .GetProperty("paths")
                .EnumerateObject()
                // Where people log in, anybody may ask.
                .Where(path => path.Name.StartsWith("/v1/", StringComparison.Ordinal) && path.Name != "/v1/login")
        )
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                Assert.NotEqual("", operation.Value.GetProperty("operationId").GetString());
                Assert.NotEqual("", operation.Value.GetProperty("summary").GetString());
                var schemes = operation
                    .Value.GetProperty("security")
                    .EnumerateArray()
                    .SelectMany(s => s.EnumerateObject().Select(scheme => scheme.Name));
                Assert.Subset(new HashSet<string> { "workloadToken", "personToken" }, schemes.ToHashSet());
                Assert.NotEmpty(schemes);
                Assert.True(
                    operation
                        .Value.GetProperty("responses")
                        .GetProperty("401")
                        .GetProperty("content")
                        .TryGetProperty("application/problem+json", out _),
                    path.Name
                );
            }
        }
    }

    [Fact]
    public async Task Descriptions_speak_of_members_as_JSON_names_them()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas");
        Assert.DoesNotContain(
            Descriptions(schemas),
            text => Regex.IsMatch(text, @"\b[A-Z]\w+\.[A-Z]|IReadOnly|&\w+;|\n[^|\n]")
        );
        Assert.Equal(
            "Names the question. Poll it with the token that asked, and redeem it by the same body with this as `approvalId` of ExchangeRequest.",
            schemas
                .GetProperty(nameof(ApprovalRequestResponse))
                .GetProperty("properties")
                .GetProperty("approvalId")
                .GetProperty("description")
                .GetString()
        );

        static IEnumerable<string> Descriptions(JsonElement json) =>
            json.ValueKind switch
            {
                JsonValueKind.Array => json.EnumerateArray().SelectMany(Descriptions),
                JsonValueKind.Object => json.EnumerateObject()
                    .SelectMany(member =>
                        member is { Name: "description", Value.ValueKind: JsonValueKind.String }
                            ? [member.Value.GetString()!]
                            : Descriptions(member.Value)
                    ),
                _ => [],
            };
    }

    [Fact]
    public async Task Every_operation_asks_for_the_token_of_the_caller_that_its_endpoint_declares()
    {
        var described = (await DocumentAsync())
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject())
            .ToDictionary(
                operation => operation.Value.GetProperty("operationId").GetString()!,
                operation =>
                    string.Join(
                        " or ",
                        operation
                            .Value.GetProperty("security")
                            .EnumerateArray()
                            .SelectMany(s => s.EnumerateObject().Select(scheme => scheme.Name))
                    )
            );
        var declared = _broker
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>() is not null)
            .ToDictionary(
                endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()!.EndpointName,
                endpoint =>
                    endpoint.Metadata.GetMetadata<CalledBy>()!.Caller switch
                    {
                        Caller.Agent => "workloadToken",
                        Caller.Person => "personToken",
                        Caller.AgentOrPerson => "workloadToken or personToken",
                        _ => "",
                    }
            );
        Assert.Equal(declared.OrderBy(pair => pair.Key), described.OrderBy(pair => pair.Key));
        Assert.Equal(
            ("workloadToken", "personToken", "workloadToken or personToken", ""),
            (described["exchange"], described["orderRevocation"], described["closeTask"], described["live"])
        );
    }

    [Fact]
    public async Task Secrets_have_one_schema_for_each_engine()
    {
        var document = await DocumentAsync();
        var secret = document.GetProperty("components").GetProperty("schemas").GetProperty("SecretResponse");
        var mapping = secret
            .GetProperty("discriminator")
            .GetProperty("mapping")
            .EnumerateObject()
            .Select(entry => entry.Name);
        Assert.Equal(["database", "dynamic", "kv", "pki", "token"], mapping.Order());
    }

    [Fact]
    public async Task Durations_are_described_as_they_are_written()
    {
        var ttl = (await DocumentAsync())
            .GetProperty("components")
            .GetProperty("schemas")
            .GetProperty("ExchangeRequest")
            .GetProperty("properties")
            .GetProperty("ttl");
        Assert.Contains("string", ttl.GetProperty("type").GetRawText(), StringComparison.Ordinal);
        Assert.Equal(WireDuration.Pattern, ttl.GetProperty("pattern").GetString());
    }

    [Fact]
    public async Task Requests_take_no_other_members_than_those_described()
    {
        var schemas = (await DocumentAsync())
            .GetProperty("components")
            .GetProperty("schemas")
            .EnumerateObject()
            .Where(schema => schema.Name.EndsWith("Request", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(schemas);
        Assert.All(schemas, schema => Assert.False(schema.Value.GetProperty("additionalProperties").GetBoolean()));
    }

    [Fact]
    public async Task The_filters_of_a_list_are_described_as_they_are_taken()
    {
        var parameters = (await DocumentAsync())
            .GetProperty("paths")
            .GetProperty("/v1/leases")
            .GetProperty("get")
            .GetProperty("parameters")
            .EnumerateArray();
        Assert.Equal(
            LeaseListQuery.Known.Order(),
            parameters.Select(parameter => parameter.GetProperty("name").GetString()!).Order()
        );
    }

    private async Task<JsonElement> DocumentAsync()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/openapi/v1.json", null);
        return await response.ReadAsync(HttpStatusCode.OK);
    }
}
