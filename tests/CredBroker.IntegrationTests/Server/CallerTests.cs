using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Issuing;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace CredBroker.IntegrationTests.Server;

/// <summary>Who calls what, as the endpoints declare it, and what becomes of everybody else.</summary>
public sealed class CallerTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private readonly TestBroker _broker = shared.Broker;

    private IEnumerable<RouteEndpoint> Endpoints =>
        _broker.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    [Fact]
    public void Every_endpoint_declares_its_caller_once()
    {
        Assert.NotEmpty(Endpoints);
        Assert.All(Endpoints, endpoint => Assert.Single(endpoint.Metadata.GetOrderedMetadata<CalledBy>()));
    }

    [Fact]
    public void No_endpoint_is_served_before_its_caller_is_looked_at()
    {
        // What ShortCircuit() leaves behind is not public: it is taken from an endpoint that has it.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        var other = builder.Build();
        other.MapGet("/short", () => "served").ShortCircuit();
        var mark = ((IEndpointRouteBuilder)other)
            .DataSources.SelectMany(source => source.Endpoints)
            .Single()
            .Metadata.Single(item => item.GetType().Name.Contains("ShortCircuit", StringComparison.Ordinal))
            .GetType();

        Assert.All(Endpoints, endpoint => Assert.DoesNotContain(endpoint.Metadata, item => item.GetType() == mark));
    }

    [Fact]
    public void Every_endpoint_that_people_call_and_no_other_names_the_roles_that_it_takes() =>
        Assert.All(
            Endpoints,
            endpoint =>
                Assert.Equal(
                    endpoint.Metadata.GetMetadata<CalledBy>() is { Caller: Caller.Person or Caller.AgentOrPerson },
                    endpoint.Metadata.GetMetadata<TakenRoles>() is { Roles.Count: > 0 }
                )
        );

    [Fact]
    public void Only_health_is_never_refused_for_want_of_room() =>
        Assert.Equal(
            ["/health/issuing", "/health/live", "/health/ready"],
            Endpoints
                .Where(endpoint => endpoint.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null)
                .Select(endpoint => endpoint.RoutePattern.RawText!)
                .Order(StringComparer.Ordinal)
        );

    [Fact]
    public async Task An_endpoint_that_declares_no_caller_is_served_to_nobody()
    {
        var settings = _broker.Settings();
        settings["Storage:SqliteFile"] = Path.Combine(_broker.Folder, "undeclared.db");
        await using var app = BrokerHost.Build(
            new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
            replace: services => services.Replace(ServiceDescriptor.Singleton<ISecretIssuer>(new FakeSecretIssuer()))
        );
        app.MapGet("/v1/undeclared", () => "served");
        app.MapGet("/v1/people-without-roles", () => "served").CalledBy(Caller.Person);
        await app.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(app.Urls.Single()),
        };
        http.DefaultRequestHeaders.Authorization = new("Bearer", _broker.Person("admin", "auditor", "viewer"));

        using var undeclared = await http.GetAsync(new Uri("/v1/undeclared", UriKind.Relative));
        await undeclared.ReadProblemAsync("CB6999");
        using var roleless = await http.GetAsync(new Uri("/v1/people-without-roles", UriKind.Relative));
        await roleless.ReadProblemAsync("CB7001");
        using var unknown = await http.GetAsync(new Uri("/v1/unheard-of", UriKind.Relative));
        await unknown.ReadProblemAsync("CB6010");
        using var method = await http.PutAsync(new Uri("/v1/undeclared", UriKind.Relative), null);
        await method.ReadProblemAsync("CB6011");
        await app.StopAsync();
    }

    [Theory]
    [InlineData("/v1/credentials", "CB1001", "")]
    [InlineData("/v1/tasks/t-1/close", "CB1001", "")]
    [InlineData("/v1/revocations", "CB1001", "")]
    [InlineData("/v1/policy/evaluate", "CB1002", "Authorization: Bearer not-a-jwt\r\n")]
    [InlineData("/v1/credentials", "CB1002", "Authorization: Bearer not-a-jwt\r\n")]
    [InlineData("/v1/credentials/x/renew", "CB1002", "Authorization: Bearer not-a-jwt\r\n")]
    [InlineData("/v1/credentials/x/outcome", "CB1002", "Authorization: Bearer not-a-jwt\r\n")]
    [InlineData("/v1/tasks/t-1/close", "CB1002", "Authorization: Bearer not-a-jwt\r\n")]
    public async Task Whoever_is_refused_for_their_token_is_told_before_the_body_is_read(
        string path,
        string code,
        string header
    )
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_broker.Http.BaseAddress!.Host, _broker.Http.BaseAddress.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nHost: x\r\n{header}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
            )
        );
        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 401", await reader.ReadLineAsync(), StringComparison.Ordinal);
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.Contains($"\"code\":\"{code}\"", StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"no {code}");
    }

    [Fact]
    public async Task A_hold_that_comes_while_the_body_is_on_its_way_refuses_the_exchange()
    {
        await using var broker = await TestBroker.StartAsync();
        var body = await Api.Exchange("shared-key").ReadAsStringAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(broker.Http.BaseAddress!.Host, broker.Http.BaseAddress.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /v1/credentials HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {broker.Agent()}\r\n"
                    + $"Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"
            )
        );
        using var reader = new StreamReader(stream);

        // The broker asks for the body: the token has been verified.
        Assert.StartsWith("HTTP/1.1 100", await reader.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal("", await reader.ReadLineAsync());
        using var held = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/holds",
            broker.Person("admin"),
            Api.Json("""{"everything":true,"confirm":true,"reason":"an incident"}""")
        );
        Assert.True(held.IsSuccessStatusCode, await held.Content.ReadAsStringAsync());
        await stream.WriteAsync(Encoding.ASCII.GetBytes(body));

        Assert.StartsWith("HTTP/1.1 403", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_is_refused_before_they_are_known_is_on_record()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (
            var (method, path, token, body, code) in new[]
            {
                ("POST", "/v1/credentials", null, Api.Exchange(), "CB1001"),
                ("POST", "/v1/credentials", "not-a-jwt", Api.Exchange(), "CB1002"),
                ("POST", "/v1/credentials", broker.Agent(), Api.Json("{"), "CB6001"),
                ("POST", "/v1/credentials", broker.Agent(), Api.Exchange("../../etc"), "CB6003"),
                ("POST", "/v1/credentials", broker.Agent(), Api.Exchange(more: ",\"csr\":\"x\""), "CB6009"),
                ("GET", "/v1/credentials/x", broker.Person("admin"), null, "CB1017"),
                ("POST", "/v1/tasks/t-1/close", null, Api.Json("{}"), "CB1001"),
                ("POST", "/v1/tasks/t-1/close", broker.Person("admin"), Api.Json("{}"), "CB6001"),
                ("GET", "/v1/leases", null, null, "CB1001"),
                ("POST", "/v1/revocations", broker.Agent(), Api.Json("{}"), "CB1017"),
            }
        )
        {
            var before = (await RefusedAsync(broker)).Count;
            using var response = await broker.SendAsync(new HttpMethod(method), path, token, body);
            await response.ReadProblemAsync(code);
            var after = await RefusedAsync(broker);
            Assert.Equal(before + 1, after.Count);
            Assert.Equal(code, after[^1].GetProperty("reason").GetString());
        }
    }

    private static async Task<IReadOnlyList<JsonElement>> RefusedAsync(TestBroker broker)
    {
        using var export = await broker.SendAsync(HttpMethod.Get, "/v1/audit/export", broker.Person("auditor"));
        return
        [
            .. (await export.Content.ReadAsStringAsync())
                .TrimEnd('\n')
                .Split('\n')
                .Select(line => JsonElement.Parse(line))
                .Where(record => record.GetProperty("type").GetString() == "request.refused"),
        ];
    }
}
