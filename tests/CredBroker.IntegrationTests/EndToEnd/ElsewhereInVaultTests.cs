using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// Two brokers on one store that do not use the same place in Vault. There "unknown" would be said of every secret that
/// the store knows.
/// </summary>
public sealed class ElsewhereInVaultTests
{
    [Theory]
    [InlineData("Vault:Installation", "elsewhere")]
    [InlineData("Vault:Namespace", "elsewhere")]
    [InlineData("Vault:Address", null)]
    public async Task Who_is_set_to_another_place_than_the_stores_issues_and_confirms_nothing_and_says_why(
        string setting,
        string? value
    )
    {
        await using var world = await World.StartAsync(storeOnPostgres: true);
        var (leaseId, secret) = await world.IssueAsync(world.Agent());
        await using var another = value is null ? await TestBao.StartAsync() : null;
        var settings = new Dictionary<string, string?>(world.Settings)
        {
            [setting] = value ?? another!.Address.GetLeftPart(UriPartial.Authority),
        };
        await using var other = await BrokerProcess.StartAsync(settings);

        var vault = (await other.Connect("").GetHealthAsync("issuing")).Parts.Single(part => part.Name == "vault");
        Assert.Equal("CB4016", vault.Code);
        Assert.Contains(value is null ? "another cluster" : "another namespace or installation", vault.Detail);
        var agentThere = new AgentClient(other.Connect(world.Token("i-2")));
        var refused = await Assert.ThrowsAsync<BrokerProblemException>(() => world.ExchangeAsync(agentThere));
        Assert.Equal("CB4016", refused.Code);
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(other.Output.Contains(value ?? "Vault is the cluster", StringComparison.Ordinal)),
            "its log says why"
        );

        // Whoever asks it for the end of a secret is not told that it is over, until somebody has confirmed that.
        try
        {
            await new AgentClient(other.Connect(world.Token())).ReleaseAsync(leaseId);
        }
        catch (BrokerProblemException)
        {
            // Not confirmed yet.
        }

        await world.ConfirmedAsync(leaseId, secret);
        await world.IssueAsync(world.Agent("i-3"), task: "t-3");
    }
}
