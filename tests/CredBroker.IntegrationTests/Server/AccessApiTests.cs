using System.Net;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>Who may ask the Authorization API, and what of a question is believed.</summary>
public sealed class AccessApiTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private const string Rest = """
        "action":{"name":"read"},"resource":{"type":"billing-readonly","id":"invoices"},
        "context":{"process":"invoice-triage","task":"t-1","purpose":"sort"}
        """;

    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task An_agent_asks_for_itself_and_nothing_is_issued()
    {
        var leases = await LeasesAsync();
        Assert.True(await DecisionAsync(_broker.Agent(), "agent", "triage-i-1"));
        Assert.Equal(leases, await LeasesAsync());
    }

    [Theory]
    [InlineData("agent", "triage-i-2")]
    [InlineData("agent", "stranger-i-1")]
    [InlineData("user", "triage-i-1")]
    [InlineData("agent", "TRIAGE-i-1")]
    public async Task An_agent_that_asks_for_somebody_else_is_refused(string type, string id)
    {
        using var response = await AskAsync(_broker.Agent(), Subject(type, id));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);

        // In a batch it fails that question alone.
        using var batch = await _broker.SendAsync(
            HttpMethod.Post,
            "/access/v1/evaluations",
            _broker.Agent(),
            Api.Json(
                $$"""{{{Rest}},"evaluations":[{"subject":{{Subject("agent", "triage-i-1")}}},{"subject":{{Subject(type, id)}}}]}"""
            )
        );
        Assert.Equal(
            [true, false],
            (await batch.ReadAsync(HttpStatusCode.OK))
                .GetProperty("evaluations")
                .EnumerateArray()
                .Select(e => e.GetProperty("decision").GetBoolean())
        );
    }

    [Fact]
    public async Task What_an_agent_says_of_itself_beyond_its_token_counts_for_nothing()
    {
        using var response = await AskAsync(
            _broker.Workload("stranger"),
            """{"type":"agent","id":"stranger-i-1","properties":{"workload":"triage","issuer":"https://workloads.test","instance":"i-1"}}"""
        );
        Assert.False((await response.ReadAsync(HttpStatusCode.OK)).GetProperty("decision").GetBoolean());
    }

    [Fact]
    public async Task A_deny_says_why_as_an_exchange_would()
    {
        using var asked = await AskAsync(_broker.Workload("stranger"), Subject("agent", "stranger-i-1"));
        var context = (await asked.ReadAsync(HttpStatusCode.OK)).GetProperty("context");
        using var exchange = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Workload("stranger"),
            Api.Exchange()
        );
        await exchange.ReadProblemAsync(context.GetProperty("code").GetString()!);
    }

    [Theory]
    [InlineData("viewer", true)]
    [InlineData("auditor", true)]
    [InlineData("admin", true)]
    [InlineData("approver", false)]
    [InlineData("nobody", false)]
    public async Task A_person_asks_what_if_with_a_readers_role(string role, bool may)
    {
        using var response = await AskAsync(
            _broker.Person(role),
            """{"type":"agent","id":"s-1","properties":{"issuer":"https://workloads.test","workload":"triage","instance":"i-1"}}"""
        );
        if (may)
        {
            Assert.True((await response.ReadAsync(HttpStatusCode.OK)).GetProperty("decision").GetBoolean());
        }
        else
        {
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        }
    }

    [Fact]
    public async Task That_a_person_asked_is_on_record()
    {
        var person = $"person-{Guid.NewGuid():N}";
        using var response = await AskAsync(
            _broker.People.Token(person, claims => claims["roles"] = new[] { "viewer" }),
            Subject("agent", "x")
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var export = await _broker.SendAsync(HttpMethod.Get, "/v1/audit/export", _broker.Person("auditor"));
        Assert.Contains(person, await export.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("not-a-jwt")]
    public async Task Nobody_may_ask(string? token)
    {
        using var response = await AskAsync(token, Subject("agent", "triage-i-1"));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.StartsWith("Bearer", response.Headers.WwwAuthenticate.Single().ToString(), StringComparison.Ordinal);
        Assert.StartsWith("CB1", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("issuer", "1")]
    [InlineData("proof", "\"word\"")]
    [InlineData("instance", "\"\"")]
    [InlineData("workload", "[]")]
    public async Task An_identity_that_no_token_could_have_is_a_bad_request(string member, string value)
    {
        using var response = await AskAsync(
            _broker.Person("viewer"),
            $$$"""{"type":"agent","id":"s-1","properties":{"{{{member}}}":{{{value}}}}}"""
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_request_id_that_is_none_is_not_echoed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/access/v1/evaluation")
        {
            Content = Api.Json("{"),
        };
        request.Headers.Add("X-Request-ID", new string('a', 257));
        using var response = await _broker.Http.SendAsync(request);
        Assert.False(response.Headers.Contains("X-Request-ID"));
    }

    private static string Subject(string type, string id) => $$"""{"type":"{{type}}","id":"{{id}}"}""";

    private async Task<bool> DecisionAsync(string token, string type, string id)
    {
        using var response = await AskAsync(token, Subject(type, id));
        return (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("decision").GetBoolean();
    }

    private Task<HttpResponseMessage> AskAsync(string? token, string subject) =>
        _broker.SendAsync(
            HttpMethod.Post,
            "/access/v1/evaluation",
            token,
            Api.Json($$"""{"subject":{{subject}},{{Rest}}}""")
        );

    private async Task<int> LeasesAsync()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/leases", _broker.Person("viewer"));
        return (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("leases").GetArrayLength();
    }
}
