using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// The server is killed (SIGKILL) after each step of an exchange and of a revocation, and started again. Failpoints
/// exist in Debug builds only.
/// </summary>
public sealed class CrashTests
{
    [Theory]
    [InlineData("exchange-decided")]
    [InlineData("exchange-prepared")]
    [InlineData("exchange-opened")]
    [InlineData("exchange-minted")]
    [InlineData("exchange-activated")]
    public async Task A_kill_within_an_exchange_leaves_nothing_that_the_store_does_not_know(string failpoint)
    {
        await using var world = await StartAsync(failpoint);
        var lost = world.ExchangeAsync(world.Agent());
        await world.Broker.ReachedAsync(failpoint);
        await world.KillBrokerAsync(lost);

        await world.StartBrokerAsync();
        await Eventually.BecomesTrueAsync(
            async () =>
                (await world.LeasesAsync()).All(lease => lease.State is LeaseStates.Active or LeaseStates.Revoked),
            "recovery has settled every lease"
        );

        await AssertNothingUnknownAsync(world);
        if (failpoint != "exchange-activated")
        {
            Assert.Empty(await world.VaultLeasesAsync());
            Assert.Empty(await world.Postgres.IssuedUsersAsync());
        }
    }

    [Fact]
    public async Task A_child_token_orphaned_before_its_lease_opens_has_nothing_hanging_on_it_and_ends_with_its_TTL()
    {
        await using var world = await StartAsync("exchange-prepared");
        var lost = world.ExchangeAsync(world.Agent(), ttl: "1s");
        await world.Broker.ReachedAsync("exchange-prepared");
        await world.KillBrokerAsync(lost);

        await world.StartBrokerAsync();
        Assert.Single(await world.ChildTokensAsync());
        Assert.Empty(await world.LeasesAsync());
        Assert.Empty(await world.VaultLeasesAsync());
        await Eventually.BecomesTrueAsync(
            async () => (await world.ChildTokensAsync()).Count == 0,
            "the orphan's TTL (1 s + 30 s) is over"
        );
    }

    [Theory]
    [InlineData("revocation-claimed")]
    [InlineData("revocation-at-vault")]
    [InlineData("revocation-settled")]
    public async Task A_kill_within_a_revocation_ends_confirmed(string failpoint)
    {
        await using var world = await StartAsync(failpoint);
        var (leaseId, secret) = await world.IssueAsync(world.Agent());
        await world.Person("admin").RevokeAsync(new() { Lease = leaseId, Reason = "incident" });
        await world.Broker.ReachedAsync(failpoint);
        await world.KillBrokerAsync();

        await world.StartBrokerAsync();

        var lease = await world.ConfirmedAsync(leaseId, secret);
        Assert.Equal("admin", lease.Revocation?.Cause);
        await AssertNothingUnknownAsync(world);
    }

    [Fact]
    public async Task A_mint_that_is_slow_on_purpose_while_its_accessor_is_revoked_leaves_nothing()
    {
        // The mint takes four seconds; the order comes meanwhile, when no Vault lease is known.
        await using var world = await World.StartAsync(grants: "          - SELECT pg_sleep(4) -- for {{name}}");
        var slow = world.ExchangeAsync(world.Agent());
        await Eventually.BecomesTrueAsync(
            async () => (await world.LeasesAsync()).Any(lease => lease.State == LeaseStates.Pending),
            "the lease is pending"
        );

        await world.Person("admin").RevokeAsync(new() { Agent = "triage", Reason = "incident" });

        await Assert.ThrowsAsync<BrokerProblemException>(() => slow);
        await Eventually.BecomesTrueAsync(
            async () => (await world.LeasesAsync()).All(lease => lease.State == LeaseStates.Revoked),
            "every lease is settled"
        );
        Assert.Empty(await world.Postgres.IssuedUsersAsync());
        Assert.Empty(await world.VaultLeasesAsync());
    }

    private static async Task<World> StartAsync(string failpoint)
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        var world = await World.StartAsync();
        await world.KillBrokerAsync();
        // Longer than a test waits: whoever died is not waited for.
        world.Settings["Leases:ClaimTime"] = "00:30:00";
        await world.StartBrokerAsync(failpoint);
        return world;
    }

    /// <summary>
    /// OpenBao holds no lease and PostgreSQL no user that the store does not know as active, and every active lease has
    /// its issuance event.
    /// </summary>
    private static async Task AssertNothingUnknownAsync(World world)
    {
        var active = (await world.LeasesAsync()).Where(lease => lease.State == LeaseStates.Active).ToList();
        Assert.Equal(active.Count, (await world.VaultLeasesAsync()).Count);
        Assert.Equal(
            active.Select(lease => lease.Vault?.PublicName).Order(),
            (await world.Postgres.IssuedUsersAsync()).Order()
        );
        var export = await IssueAndRevokeTests.ExportAsync(world);
        Assert.All(
            active,
            lease =>
                Assert.Contains(
                    export.Split('\n'),
                    line =>
                        line.Contains("\"type\":\"lease.issued\"", StringComparison.Ordinal)
                        && line.Contains(lease.LeaseId, StringComparison.Ordinal)
                )
        );
    }
}
