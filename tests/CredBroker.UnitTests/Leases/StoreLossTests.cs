using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

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
            return Task.FromResult<MintOutcome>(minted);
        };

        Assert.Equal(RefusalCode.StoreUnavailable, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_policy_that_the_store_did_not_take_is_applied_when_it_is_back()
    {
        await using var broker = await StartAsync<StateChange.PolicyApplied>(out var losing);
        broker.PolicySource.Text = HarnessPolicy.Text(comment: "edited");
        losing.Lost = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await broker.Policy.RefreshAsync(CancellationToken.None)
        );
        Assert.Equal(1, broker.Policy.Current!.Version);

        losing.Lost = false;
        Assert.True(await broker.Policy.RefreshAsync(CancellationToken.None));
        Assert.Equal(2, broker.Policy.Current!.Version);
    }

    [Fact]
    public async Task A_policy_that_the_store_took_without_an_answer_is_in_force_after_the_next_look()
    {
        await using var broker = await StartAsync<StateChange.PolicyApplied>(out var losing);
        broker.PolicySource.Text = HarnessPolicy.Text(comment: "edited");
        losing.LosesReply = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await broker.Policy.RefreshAsync(CancellationToken.None)
        );

        losing.LosesReply = false;
        Assert.True(await broker.Policy.RefreshAsync(CancellationToken.None));
        Assert.Equal(2, broker.Policy.Current!.Version);
        Assert.Empty(broker.Policy.LastFaults);
    }

    [Fact]
    public async Task A_store_lost_at_expiry_does_not_keep_the_secret_alive()
    {
        await using var broker = await StartAsync<StateChange.RevocationClaimed>(out var losing);
        var lease = await broker.IssueAsync();
        losing.Lost = true;
        broker.Time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));

        await broker.ExpireAsync();
        Assert.Empty(broker.Issuer.Alive);
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(lease.Id)).State);

        losing.Lost = false;
        await broker.ExpireAsync();
        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.Expiry),
            ((await broker.LeaseAsync(lease.Id)).State, (await broker.LeaseAsync(lease.Id)).Cause!.Value)
        );
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

        /// <summary>Whether such a change is taken, but nobody hears of it.</summary>
        public bool LosesReply { get; set; }

        public StorePosition Position => store.Position;

        public async ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken)
        {
            if (Lost && change is TChange)
            {
                throw new StoreUnavailableException("lost");
            }

            var outcome = await store.CommitAsync(change, cancellationToken);
            return LosesReply && change is TChange
                ? throw new StoreUnavailableException("the outcome is unknown")
                : outcome;
        }

        public string? Fault => store.Fault;

        public ValueTask WatchAsync(CancellationToken cancellationToken) => store.WatchAsync(cancellationToken);

        public ILeaseReader Leases => store.Leases;

        public IRevocationReader Revocations => store.Revocations;

        public IHoldReader Holds => store.Holds;

        public IPolicyReader Policies => store.Policies;

        public IIdempotencyReader Idempotency => store.Idempotency;
    }
}
