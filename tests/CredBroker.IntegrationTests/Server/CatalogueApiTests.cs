using System.Net;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>What an agent is told that it may ask for.</summary>
public sealed class CatalogueApiTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task An_agent_is_told_what_it_may_ask_for_and_gets_it()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/catalogue", _broker.Agent());
        var entries = (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("entries").EnumerateArray().ToList();
        Assert.Equal(
            ["agent-mtls", "billing-readonly", "shared-key", "vault-token"],
            entries.Select(entry => entry.GetProperty("credential").GetString())
        );
        Assert.All(entries, entry => Assert.Equal("allow", entry.GetProperty("decision").GetString()));
        var billing = entries[1];
        Assert.Equal(["read", "summarise"], billing.GetProperty("actions").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal(
            ("10m", true, "invoice-triage", "triage", "database"),
            (
                billing.GetProperty("maxTtl").GetString(),
                billing.GetProperty("renewable").GetBoolean(),
                billing.GetProperty("process").GetString(),
                billing.GetProperty("agent").GetString(),
                billing.GetProperty("engine").GetString()
            )
        );
        Assert.Equal([false, true, false, true], entries.Select(entry => entry.GetProperty("renewable").GetBoolean()));
        using var issued = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange("shared-key")
        );
        await issued.ReadAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task An_agent_that_may_ask_for_nothing_is_told_nothing()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/catalogue", _broker.Workload("stranger"));
        Assert.Empty((await response.ReadAsync(HttpStatusCode.OK)).GetProperty("entries").EnumerateArray());
    }

    [Fact]
    public async Task A_person_is_no_agent()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/v1/catalogue", _broker.Person("admin"));
        await response.ReadProblemAsync("CB1017");
    }
}
