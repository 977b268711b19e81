using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>An OpenBao that is put back from a snapshot while the store goes on.</summary>
public sealed class VaultPutBackTests
{
    [Fact]
    public async Task A_Vault_from_a_snapshot_issues_nothing_and_confirms_nothing_until_an_admin_accepts_it()
    {
        await using var world = await World.StartAsync(sealable: true);
        var (before, first) = await world.IssueAsync(world.Agent());
        await world.AnchoredAsync();
        var snapshot = await world.Vault.SnapshotAsync();
        var admin = world.Person("admin");
        await admin.RevokeAsync(new() { Lease = before, Reason = "over" });
        await world.ConfirmedAsync(before, first);
        var (since, second) = await world.IssueAsync(world.Agent("i-2"), task: "t-2");
        await world.AnchoredAsync();

        await world.Vault.RestoreAsync(snapshot);

        await Eventually.BecomesTrueAsync(
            async () =>
                (await world.Broker.Connect("").GetHealthAsync("issuing")).Parts.Any(part => part.Code == "CB4018"),
            "health says that Vault has gone back"
        );
        var refused = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            world.ExchangeAsync(world.Agent("i-3"), task: "t-3")
        );
        Assert.Equal("CB4018", refused.Problem.Code);
        var seen = await admin.GetVaultClusterAsync();
        Assert.Equal((seen.Accepted, true, true), (seen.Answering, seen.WentBack, seen.KeepsFromIssuing));

        // It does not know what was made since, which is no proof that it is gone.
        await admin.RevokeAsync(new() { Lease = since, Reason = "incident" });
        await Eventually.BecomesTrueAsync(
            async () =>
                (await world.LeaseAsync(since)) is { State: LeaseStates.Failed, Revocation.LastError: var error }
                && error!.Contains("Vault has gone back", StringComparison.Ordinal),
            "the revocation fails, and says why"
        );
        await world.KillBrokerAsync();
        await world.StartBrokerAsync(untilIssuing: false);
        admin = world.Person("admin");
        Assert.True((await admin.GetVaultClusterAsync()).WentBack);

        var accepted = await admin.AcceptVaultClusterAsync(
            new() { Cluster = seen.Answering!, Reason = "the snapshot of noon" }
        );

        Assert.False(accepted.WentBack);
        Assert.NotNull(accepted.ChangedAt);
        // The database itself says that the user is gone; what Vault had revoked before lives in it again, and is revoked.
        await world.ConfirmedAsync(since, second);
        await Eventually.BecomesTrueAsync(
            async () => await world.Broker.HealthAsync("issuing") == "ok",
            "the broker issues"
        );
        await Eventually.BecomesTrueAsync(
            async () => (await world.VaultLeasesAsync()).Count == 0,
            "Vault holds nothing that is over"
        );
        await world.IssueAsync(world.Agent("i-4"), task: "t-4");
        await world.AnchoredAsync();
    }
}
