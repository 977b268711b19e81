using System.Net;
using System.Text;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>An owner who leaves, over the wire: what an admin says, what a directory says, and where it is seen.</summary>
public sealed class OwnerApiTests : IAsyncLifetime
{
    private const string Owner = """{"issuer":"https://people.test","subject":"owner-1","reason":"left"}""";
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() =>
        _broker = await TestBroker.StartAsync(
            policy: TestPolicy.Text.Replace("impact: low", "impact: medium", StringComparison.Ordinal)
        );

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task An_owner_who_is_retired_is_seen_everywhere_and_comes_back()
    {
        var lease = (await ExchangeAsync("t-1", HttpStatusCode.Created)).GetProperty("leaseId").GetString();
        var retired = await PostAsync("/v1/owners/retire", Owner);
        Assert.Equal(
            ["invoice-triage"],
            retired.GetProperty("owner").GetProperty("processes").EnumerateArray().Select(one => one.GetString())
        );
        Assert.Equal(
            [lease],
            retired.GetProperty("leases").EnumerateArray().Select(one => one.GetProperty("leaseId").GetString())
        );

        using (
            var refused = await _broker.SendAsync(
                HttpMethod.Post,
                "/v1/credentials",
                _broker.Agent(),
                Api.Exchange(task: "t-2")
            )
        )
        {
            await refused.ReadProblemAsync("CB2018");
        }

        Assert.False(await AllowsAsync());
        Assert.Empty((await GetAsync("/v1/catalogue", _broker.Agent())).GetProperty("entries").EnumerateArray());
        var process = await ProcessAsync();
        Assert.True(process.GetProperty("ownerGone").GetBoolean());
        Assert.Equal("constrained", process.GetProperty("mode").GetString());
        Assert.Equal("Its owner is gone.", process.GetProperty("why").GetString());
        var listed = (await GetAsync("/v1/owners/retired", _broker.Person("viewer"))).GetProperty("owners")[0];
        Assert.Equal("left", listed.GetProperty("reason").GetString());

        await PostAsync("/v1/owners/reinstate", Owner);
        await ExchangeAsync("t-3", HttpStatusCode.Created);
        Assert.True(await AllowsAsync());
        Assert.Equal("autonomous", (await ProcessAsync()).GetProperty("mode").GetString());
        using var again = await SendAsync(HttpMethod.Post, "/v1/owners/reinstate", Owner);
        await again.ReadProblemAsync("CB7026");
    }

    [Fact]
    public async Task Who_and_why_are_needed()
    {
        foreach (
            var body in new[]
            {
                """{"issuer":"https://people.test","subject":"owner-1","reason":" "}""",
                """{"issuer":"","subject":"owner-1","reason":"left"}""",
                """{"issuer":"https://people.test","subject":"","reason":"left"}""",
            }
        )
        {
            using var response = await SendAsync(HttpMethod.Post, "/v1/owners/retire", body);
            await response.ReadProblemAsync("CB6003");
        }
    }

    [Theory]
    [InlineData("""{"op":"replace","path":"active","value":false}""")]
    [InlineData("""{"op":"Replace","value":{"active":false}}""")]
    public async Task A_directory_says_that_a_user_is_not_active_any_more_and_active_again(string operation)
    {
        await ScimAsync(operation, HttpStatusCode.NoContent);
        await ScimAsync(operation, HttpStatusCode.NoContent);
        Assert.True((await ProcessAsync()).GetProperty("ownerGone").GetBoolean());
        var back = operation.Replace("false", "true", StringComparison.Ordinal);
        await ScimAsync(back, HttpStatusCode.NoContent);
        await ScimAsync(back, HttpStatusCode.NoContent);
        Assert.False((await ProcessAsync()).TryGetProperty("ownerGone", out _));
    }

    [Fact]
    public async Task A_directory_says_that_a_user_is_gone()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Delete,
            "/scim/v2/Users/owner-1",
            _broker.Person("admin")
        );
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.True((await ProcessAsync()).GetProperty("ownerGone").GetBoolean());
    }

    [Theory]
    [InlineData("""{"op":"add","path":"active","value":false}""")]
    [InlineData("""{"op":"replace","path":"userName","value":"x"}""")]
    [InlineData("""{"op":"replace","path":"active","value":"false"}""")]
    [InlineData("""{"op":"replace","value":{"active":false,"userName":"x"}}""")]
    [InlineData("""{"op":"replace","path":"active"}""")]
    [InlineData("""{"op":"replace","path":"active","value":false},{"op":"replace","path":"active","value":false}""")]
    [InlineData("null")]
    public async Task Nothing_else_of_a_user_is_changed(string operation)
    {
        await ScimAsync(operation, HttpStatusCode.BadRequest);
        Assert.False((await ProcessAsync()).TryGetProperty("ownerGone", out _));
    }

    [Fact]
    public async Task An_id_that_would_be_another_is_refused_and_an_agent_or_viewer_is_none_to_say_it()
    {
        const string gone = """{"op":"replace","path":"active","value":false}""";
        await ScimAsync(gone, HttpStatusCode.BadRequest, "a%2Fb");
        await ScimAsync(gone, HttpStatusCode.Forbidden, token: _broker.Person("viewer"));
        await ScimAsync(gone, HttpStatusCode.Unauthorized, token: _broker.Agent());
        Assert.False((await ProcessAsync()).TryGetProperty("ownerGone", out _));
    }

    private async Task ScimAsync(string operation, HttpStatusCode expected, string id = "owner-1", string? token = null)
    {
        using var body = new StringContent(
            $$"""{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{operation}}]}""",
            Encoding.UTF8,
            "application/scim+json"
        );
        using var response = await _broker.SendAsync(
            HttpMethod.Patch,
            $"/scim/v2/Users/{id}",
            token ?? _broker.Person("admin"),
            body
        );
        var said = await response.ReadAsync(expected);
        if (expected != HttpStatusCode.NoContent)
        {
            Assert.Equal("application/scim+json", response.Content.Headers.ContentType?.MediaType);
            Assert.Equal("urn:ietf:params:scim:api:messages:2.0:Error", said.GetProperty("schemas")[0].GetString());
        }
    }

    private async Task<bool> AllowsAsync() => (
            await PostAsync(
                "/access/v1/evaluation",
                """
                {"subject":{"type":"agent","id":"triage-i-1"},"action":{"name":"read"},
                 "resource":{"type":"billing-readonly","id":"x"},
                 "context":{"process":"invoice-triage","task":"t-1","purpose":"sort"}}
                """,
                _broker.Agent()
            )
        ).GetProperty("decision").GetBoolean();

    private async Task<JsonElement> ProcessAsync() =>
        (await GetAsync("/v1/processes", _broker.Person("viewer")))
            .GetProperty("processes")
            .EnumerateArray()
            .Single(process => process.GetProperty("name").GetString() == "invoice-triage");

    private async Task<JsonElement> ExchangeAsync(string task, HttpStatusCode expected)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(task: task)
        );
        return await response.ReadAsync(expected);
    }

    private async Task<JsonElement> GetAsync(string path, string token)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, path, token);
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private async Task<JsonElement> PostAsync(string path, string body, string? token = null)
    {
        using var response = await SendAsync(HttpMethod.Post, path, body, token);
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string body, string? token = null) =>
        _broker.SendAsync(method, path, token ?? _broker.Person("admin"), Api.Json(body));
}
