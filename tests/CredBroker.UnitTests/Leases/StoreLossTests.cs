using CredBroker.Core;
using CredBroker.Core.Leases;
using CredBroker.UnitTests.Exchange;

namespace CredBroker.UnitTests.Leases;

public sealed class StoreLossTests
{
    [Fact]
    public async Task A_store_lost_before_the_secret_exists_issues_nothing()
    {
        await using var broker = await StartAsync<StateChange.LeaseOpened>(out var losing);
        losing.Lost = true;

        Assert.Equal(RefusalCode.StoreUnavailable, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(broker.Issuer.Alive);
        Assert.Empty(broker.Issuer.Tokens);
    }

    [Fact]
    public async Task A_store_lost_when_the_secret_exists_delivers_nothing_and_kills_it()
    {
        await using var broker = await StartAsync<StateChange.LeaseActivated>(out var losing);
        losing.Lost = true;

        Assert.Equal(RefusalCode.StoreUnavailable, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(broker.Issuer.Alive);

        // The row is still pending; recovery settles it.
        losing.Lost = false;
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await broker.Pending.RunAsync(CancellationToken.None);
        broker.Time.Advance(TimeSpan.FromSeconds(91));
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_store_lost_when_a_late_secret_is_to_be_recorded_kills_it_all_the_same()
    {
        await using var broker = await StartAsync<StateChange.HandlesRecorded>(out var losing);
        losing.Lost = true;
        broker.Issuer.AfterMint = (_, minted) =>
        {
            broker.Time.Advance(TimeSpan.FromSeconds(31));
            return Task.FromResult<Core.Exchange.MintOutcome>(minted);
        };

        Assert.Equal(RefusalCode.StoreUnavailable, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(broker.Issuer.Alive);
    }

    private static Task<BrokerHarness> StartAsync<TChange>(out LosingStore<TChange> losing)
        where TChange : StateChange
    {
        LosingStore<TChange>? wrapper = null;
        var started = BrokerHarness.StartAsync(wrapStore: store => wrapper = new(store));
        losing = wrapper!;
        return started;
    }

    /// <summary>The real store, which stops accepting one kind of change.</summary>
    private sealed class LosingStore<TChange>(IBrokerStore store) : IBrokerStore
        where TChange : StateChange
    {
        public bool Lost { get; set; }

        public StorePosition Position => store.Position;

        public ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken) =>
            Lost && change is TChange ? throw new StoreUnavailableException("lost") : store.CommitAsync(change, cancellationToken);

        public ValueTask<Lease?> FindLeaseAsync(string leaseId, CancellationToken cancellationToken) => store.FindLeaseAsync(leaseId, cancellationToken);

        public ValueTask<LeasePage> ListLeasesAsync(LeaseQuery query, CancellationToken cancellationToken) => store.ListLeasesAsync(query, cancellationToken);

        public ValueTask<IReadOnlyList<Lease>> FindWorkAsync(LeaseWork work, DateTimeOffset dueBefore, int limit, CancellationToken cancellationToken) =>
            store.FindWorkAsync(work, dueBefore, limit, cancellationToken);

        public ValueTask<IReadOnlySet<string>> FindKnownVaultLeasesAsync(IReadOnlyCollection<string> vaultLeaseIds, CancellationToken cancellationToken) =>
            store.FindKnownVaultLeasesAsync(vaultLeaseIds, cancellationToken);

        public ValueTask<RevocationOrder?> FindRevocationAsync(string revocationId, CancellationToken cancellationToken) => store.FindRevocationAsync(revocationId, cancellationToken);

        public ValueTask<IReadOnlyList<RevocationOrder>> FindOpenRevocationsAsync(CancellationToken cancellationToken) => store.FindOpenRevocationsAsync(cancellationToken);

        public ValueTask<IdempotencyRecord?> FindIdempotencyAsync(string callerKey, string idempotencyKey, CancellationToken cancellationToken) =>
            store.FindIdempotencyAsync(callerKey, idempotencyKey, cancellationToken);

        public ValueTask<AppliedPolicyRecord?> FindPolicyAsync(CancellationToken cancellationToken) => store.FindPolicyAsync(cancellationToken);
    }
}
