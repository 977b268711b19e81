using System.Net;
using System.Text.Json;
using CredBroker.Core.Requests;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

public sealed class HealthTests
{
    [Fact]
    public async Task A_broker_that_is_well_says_so()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var path in new[] { "/health/live", "/health/ready", "/health/issuing" })
        {
            Assert.Equal("ok", (await HealthAsync(broker, path, HttpStatusCode.OK)).GetProperty("status").GetString());
        }

        Assert.True(broker.Vault.Probes > 0);
    }

    [Fact]
    public async Task Without_vault_the_broker_is_ready_but_issues_nothing_and_names_the_part()
    {
        await using var broker = await TestBroker.StartAsync();
        broker.Vault.Status = new(false, new(RefusalCode.VaultSealed, "Vault is sealed."), null);
        await HealthAsync(broker, "/health/ready", HttpStatusCode.OK);
        var health = await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        var vault = health
            .GetProperty("parts")
            .EnumerateArray()
            .Single(part => part.GetProperty("name").GetString() == "vault");
        Assert.Equal(
            ("unavailable", "CB4002"),
            (vault.GetProperty("status").GetString(), vault.GetProperty("code").GetString())
        );

        using var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await refused.ReadProblemAsync("CB4002");
        using var leases = await broker.SendAsync(HttpMethod.Get, "/v1/leases", broker.Person("viewer"));
        await leases.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_a_good_policy_the_broker_starts_and_issues_nothing_until_there_is_one()
    {
        await using var broker = await TestBroker.StartAsync(policy: "rules: nonsense");
        await HealthAsync(broker, "/health/ready", HttpStatusCode.OK);
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        using var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await refused.ReadProblemAsync("CB2010");

        await File.WriteAllTextAsync(broker.PolicyFile, TestPolicy.Text);
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var response = await broker.SendAsync(HttpMethod.Get, "/health/issuing", null);
            return response.IsSuccessStatusCode;
        });
    }

    private static async Task<JsonElement> HealthAsync(TestBroker broker, string path, HttpStatusCode expected)
    {
        using var response = await broker.SendAsync(HttpMethod.Get, path, null);
        return await response.ReadAsync(expected);
    }
}
