using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>Another Vault at the same address, which knows nothing of what the first has made.</summary>
public sealed class VaultReplacedTests : IAsyncLifetime
{
    private World _world = null!;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync();

    public ValueTask DisposeAsync() => _world?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Another_Vault_issues_nothing_and_confirms_nothing_until_an_admin_accepts_it()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent());
        var admin = _world.Person("admin");
        var first = await admin.GetVaultClusterAsync();
        Assert.Equal((first.Answering, null, false), (first.Accepted, first.ChangedAt, first.KeepsFromIssuing));
        await _world.Vault.KillAsync();
        await _world.Vault.RestartAsync();
        await _world.PrepareVaultAsync();

        await admin.RevokeAsync(new() { Lease = leaseId, Reason = "incident" });
        LeaseResponse? lease = null;
        await Eventually.BecomesTrueAsync(
            async () =>
                (lease = await _world.LeaseAsync(leaseId)).State == LeaseStates.Failed
                && lease.Revocation!.LastError!.Contains("Vault is the cluster", StringComparison.Ordinal),
            "the revocation fails, and says why"
        );
        // It has a reaper at the same database, which is told all the same: the user goes, but nobody has said whose word
        // that is.
        await Eventually.BecomesTrueAsync(
            async () => !await _world.Postgres.CanLogInAsync(secret.Username, secret.Password),
            "the user is gone"
        );
        Assert.NotEqual(LeaseStates.Revoked, (await _world.LeaseAsync(leaseId)).State);
        await Eventually.BecomesTrueAsync(
            async () => await _world.Broker.HealthAsync("issuing") != "ok",
            "nothing is issued"
        );
        var refused = await Assert.ThrowsAsync<BrokerProblemException>(() => _world.ExchangeAsync(_world.Agent("i-2")));
        Assert.Equal("CB4016", refused.Problem.Code);

        // A restart of the broker does not make it forget.
        await _world.KillBrokerAsync();
        await _world.StartBrokerAsync(untilIssuing: false);
        admin = _world.Person("admin");
        var second = await admin.GetVaultClusterAsync();
        Assert.Equal((first.Accepted, true), (second.Accepted, second.KeepsFromIssuing));
        Assert.NotEqual(first.Answering, second.Answering);
        var wrong = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            admin.AcceptVaultClusterAsync(new() { Cluster = first.Answering!, Reason = "moved" }).AsTask()
        );
        Assert.Equal(400, wrong.Status);

        var accepted = await admin.AcceptVaultClusterAsync(new() { Cluster = second.Answering!, Reason = "moved" });

        Assert.False(accepted.KeepsFromIssuing);
        Assert.NotNull(accepted.ChangedAt);
        // Now its word counts: the database itself says that the user is gone.
        await _world.ConfirmedAsync(leaseId, secret);
        await _world.IssueAsync(_world.Agent());
    }
}
