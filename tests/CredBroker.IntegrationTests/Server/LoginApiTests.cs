using System.Net;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>What the broker says about logging in, and whom it sees.</summary>
public sealed class LoginApiTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task Anybody_may_ask_where_people_log_in()
    {
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Identity:Issuers:1:Login:ClientId"] = "credbroker-cli",
                ["Identity:Issuers:1:Login:Scopes:0"] = "openid",
                ["Identity:Issuers:1:Login:Scopes:1"] = "offline_access",
            }
        );
        using var response = await broker.SendAsync(HttpMethod.Get, "/v1/login", null);
        var issuer = (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("issuers")[0];
        Assert.Equal("https://people.test", issuer.GetProperty("issuer").GetString());
        Assert.Equal("credbroker-cli", issuer.GetProperty("clientId").GetString());
        Assert.Equal("credbroker-admin", issuer.GetProperty("audience").GetString());
        Assert.Equal(
            ["openid", "offline_access"],
            issuer.GetProperty("scopes").EnumerateArray().Select(s => s.GetString())
        );
        Assert.Equal(4, issuer.EnumerateObject().Count());
    }

    [Fact]
    public async Task Where_nobody_logs_in_the_list_is_empty()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/login", null);
        Assert.Empty((await response.ReadAsync(HttpStatusCode.OK)).GetProperty("issuers").EnumerateArray());
    }

    [Fact]
    public async Task A_person_is_told_their_roles_with_and_without_one()
    {
        using var admin = await _broker.SendAsync(HttpMethod.Get, "/v1/whoami", _broker.Person("admin", "viewer"));
        var person = (await admin.ReadAsync(HttpStatusCode.OK)).GetProperty("person");
        Assert.Equal("https://people.test", person.GetProperty("issuer").GetString());
        Assert.Equal("person-1", person.GetProperty("subject").GetString());
        Assert.Equal(["admin", "viewer"], person.GetProperty("roles").EnumerateArray().Select(r => r.GetString()));

        using var nobody = await _broker.SendAsync(HttpMethod.Get, "/v1/whoami", _broker.Person());
        Assert.Empty(
            (await nobody.ReadAsync(HttpStatusCode.OK)).GetProperty("person").GetProperty("roles").EnumerateArray()
        );
    }

    [Fact]
    public async Task That_a_person_asked_is_on_record()
    {
        var name = $"person-{Guid.NewGuid():N}";
        using var asked = await _broker.SendAsync(HttpMethod.Get, "/v1/whoami", _broker.People.Token(name, _ => { }));
        await asked.ReadAsync(HttpStatusCode.OK);
        using var export = await _broker.SendAsync(HttpMethod.Get, "/v1/audit/export", _broker.Person("auditor"));
        Assert.Contains(name, await export.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_is_told_its_identity_and_the_processes_that_admit_it()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/whoami", _broker.Agent("i-7"));
        var body = await response.ReadAsync(HttpStatusCode.OK);
        Assert.False(body.TryGetProperty("person", out _));
        var agent = body.GetProperty("agent");
        Assert.Equal(
            ("triage", "i-7"),
            (agent.GetProperty("workload").GetString(), agent.GetProperty("instance").GetString())
        );
        var process = Assert.Single(body.GetProperty("processes").EnumerateArray());
        Assert.Equal(
            ("invoice-triage", "triage"),
            (process.GetProperty("process").GetString(), process.GetProperty("agent").GetString())
        );
    }

    [Fact]
    public async Task An_agents_token_with_roles_is_no_persons()
    {
        var token = _broker.Workloads.Token(
            "triage-1",
            claims => (claims["workload"], claims["instance"], claims["roles"]) = ("triage", "i-1", new[] { "admin" })
        );
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/whoami", token);
        Assert.False((await response.ReadAsync(HttpStatusCode.OK)).TryGetProperty("person", out _));
    }

    [Theory]
    [InlineData(null, "CB1001")]
    [InlineData("nonsense", "CB1002")]
    public async Task Nobody_is_refused(string? token, string code)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/whoami", token);
        await response.ReadProblemAsync(code);
    }
}
