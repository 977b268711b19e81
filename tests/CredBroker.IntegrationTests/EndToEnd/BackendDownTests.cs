using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

public sealed class BackendDownTests
{
    [Fact]
    public async Task With_PostgreSQL_down_nothing_is_called_revoked_and_all_is_confirmed_when_it_is_back()
    {
        await using var world = await World.StartAsync();
        var (expiring, first) = await world.IssueAsync(world.Agent(), ttl: "4s");
        var (revoked, second) = await world.IssueAsync(world.Agent("i-2"), task: "t-2");
        await world.Postgres.StopAsync();

        await world.Person("admin").RevokeAsync(new() { Lease = revoked, Reason = "incident" });

        foreach (var leaseId in new[] { expiring, revoked })
        {
            await Eventually.BecomesTrueAsync(
                async () => (await world.LeaseAsync(leaseId)).State == LeaseStates.Failed,
                $"{leaseId} has failed in plain view"
            );
            var failed = await world.LeaseAsync(leaseId);
            Assert.NotEmpty(failed.Revocation?.LastError ?? "");
            Assert.NotNull(failed.Revocation?.NextAttemptAt);
            Assert.NotEmpty(failed.StillValid ?? []);
        }

        await world.Postgres.StartAgainAsync();
        await world.ConfirmedAsync(expiring, first);
        await world.ConfirmedAsync(revoked, second);
    }

    [Fact]
    public async Task With_Vault_sealed_nothing_is_issued_and_incident_response_still_works()
    {
        await using var world = await World.StartAsync(sealable: true);
        var (leaseId, secret) = await world.IssueAsync(world.Agent());
        await world.Vault.SealAsync();

        var refused = await Assert.ThrowsAsync<BrokerProblemException>(() => world.ExchangeAsync(world.Agent()));
        Assert.Matches("^CB4", refused.Code);
        Assert.Equal(503, refused.Status);
        await Eventually.BecomesTrueAsync(
            async () => await world.Broker.HealthAsync("issuing") != "ok",
            "health says that nothing is issued"
        );
        Assert.Equal("ok", await world.Broker.HealthAsync("ready"));
        await world.Person("admin").RevokeAsync(new() { Lease = leaseId, Reason = "incident" });
        Assert.NotEqual(LeaseStates.Revoked, (await world.LeaseAsync(leaseId)).State);
        Assert.Contains(leaseId, await IssueAndRevokeTests.ExportAsync(world), StringComparison.Ordinal);

        await world.Vault.UnsealAsync();
        await world.ConfirmedAsync(leaseId, secret);
    }
}
