using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

/// <summary>What an order says of itself: never more than is true.</summary>
public sealed class OrderProgressTests
{
    [Fact]
    public async Task An_order_of_a_failed_lease_lists_it_and_waits_until_it_is_confirmed()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        broker.Issuer.BackendDown = true;
        await ReleaseAsync(broker, lease);

        var order = await OrderAsync(broker, new() { Lease = lease.Id });
        await broker.Retry.RunAsync(CancellationToken.None);

        var waiting = await ProgressAsync(broker, order);
        Assert.Equal([lease.Id], waiting.Leases.Select(reached => reached.Id));
        Assert.Equal(1, waiting.Counts[LeaseState.Failed]);
        Assert.Equal([lease.Id], waiting.StillValid.Select(left => left.LeaseId));
        Assert.Equal(2, (await broker.LeaseAsync(lease.Id)).Attempts);

        broker.Issuer.BackendDown = false;
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await broker.Retry.RunAsync(CancellationToken.None);
        var done = await ProgressAsync(broker, order);
        Assert.Equal([LeaseState.Revoked], done.Counts.Keys);
        Assert.Empty(done.StillValid);
    }

    [Fact]
    public async Task Two_orders_of_one_lease_both_list_it_and_the_first_stays_its_cause()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        broker.Issuer.BackendDown = true;
        var first = await OrderAsync(broker, new() { Agent = "triage" });
        await broker.Retry.RunAsync(CancellationToken.None);
        var second = await OrderAsync(broker, new() { Everything = true });
        await broker.Retry.RunAsync(CancellationToken.None);

        foreach (var order in new[] { first, second })
        {
            Assert.Equal([lease.Id], (await ProgressAsync(broker, order)).Leases.Select(reached => reached.Id));
        }

        Assert.Equal(first.Id, (await broker.LeaseAsync(lease.Id)).RevocationId);
    }

    [Fact]
    public async Task A_lease_that_a_worker_is_revoking_is_listed_by_an_order_that_comes_meanwhile()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        var (atVault, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        broker.Issuer.BeforeRevoke = async _ =>
        {
            atVault.TrySetResult();
            await goOn.Task;
        };
        var releasing = ReleaseAsync(broker, lease);
        await atVault.Task;

        var order = await OrderAsync(broker, new() { Lease = lease.Id });
        await broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal(1, (await ProgressAsync(broker, order)).Counts[LeaseState.Revoking]);
        goOn.SetResult();
        await releasing;
        Assert.Equal(1, (await ProgressAsync(broker, order)).Counts[LeaseState.Revoked]);
    }

    [Fact]
    public async Task What_may_still_be_accepted_is_said_of_every_lease_that_an_order_reached()
    {
        await using var broker = await BrokerHarness.StartAsync();
        const int leases = 1_003;
        await Task.WhenAll(
            Enumerable.Range(0, leases).Select(_ => broker.IssueAsync(BrokerHarness.Command(credential: "api-key")))
        );

        var order = await OrderAsync(broker, new() { Everything = true });
        await broker.Retry.RunAsync(CancellationToken.None);

        var progress = await ProgressAsync(broker, order);
        Assert.Equal((1_000, leases), (progress.Leases.Count, progress.Counts[LeaseState.Ended]));
        Assert.Equal(leases, progress.StillValid.Select(left => left.LeaseId).Distinct().Count());
    }

    [Fact]
    public async Task A_store_whose_clock_was_ahead_hides_nothing_that_may_still_be_accepted()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        broker.Issuer.BackendDown = true;
        var order = await OrderAsync(broker, new() { Lease = lease.Id });
        await broker.Retry.RunAsync(CancellationToken.None);

        // A jump that was believed, and was wrong.
        broker.Wall.Offset = TimeSpan.FromDays(10);
        _ = broker.Store.Position;
        broker.Time.Advance(TimeSpan.FromMinutes(5));
        _ = broker.Store.Position;
        broker.Wall.Offset = TimeSpan.Zero;
        Assert.True(broker.Store.Position.UtcNow > lease.GraceUntil);

        Assert.Equal([lease.Id], (await ProgressAsync(broker, order)).StillValid.Select(left => left.LeaseId));
    }

    [Fact]
    public async Task A_lease_whose_issuance_was_cut_short_may_still_be_accepted_for_all_that_is_known()
    {
        await using var broker = await BrokerHarness.StartAsync();
        broker.Issuer.BeforeMint = _ => throw new InvalidOperationException("the process dies here");
        await Assert.ThrowsAsync<InvalidOperationException>(() => broker.IssueAsync());

        var order = await OrderAsync(broker, new() { Everything = true });
        await broker.Retry.RunAsync(CancellationToken.None);

        var left = Assert.Single((await ProgressAsync(broker, order)).StillValid);
        // Vault's longest request, and then the life of the credential.
        Assert.Equal(broker.Time.GetUtcNow() + TimeSpan.FromSeconds(90) + TimeSpan.FromMinutes(15), left.Until);
        Assert.Contains("may exist until then", left.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_comes_after_its_lease_was_over_is_revoked_on_a_lease_of_its_own_and_retried()
    {
        await using var broker = await BrokerHarness.StartAsync();
        RevocationOrder? order = null;
        broker.Issuer.BeforeMint = async _ =>
        {
            order = await OrderAsync(broker, new() { Agent = "triage" });
            await broker.Retry.RunAsync(CancellationToken.None);
            broker.Time.Advance(TimeSpan.FromSeconds(91));
            await broker.Retry.RunAsync(CancellationToken.None);
            Assert.Equal(LeaseState.Revoked, (await broker.OnlyLeaseAsync()).State);
            broker.Issuer.BackendDown = true;
        };

        await broker.RefusedAsync(BrokerHarness.Command());

        var late = Assert.Single(await broker.LeasesAsync(LeaseState.Failed));
        var over = Assert.Single(await broker.LeasesAsync(LeaseState.Revoked));
        Assert.NotNull(late.VaultLeaseId);
        Assert.Null(over.VaultLeaseId);
        Assert.Equal(over.Decision.Id, late.Decision.Id);
        Assert.Equal(1, (await ProgressAsync(broker, order!)).Counts[LeaseState.Failed]);
        Assert.Single(broker.Issuer.Alive);

        broker.Issuer.BackendDown = false;
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(broker.Issuer.Alive);
        Assert.Equal(2, (await ProgressAsync(broker, order!)).Counts[LeaseState.Revoked]);
    }

    [Fact]
    public async Task A_release_says_revoking_only_once_that_is_on_record()
    {
        var held = new HeldClaims();
        await using var broker = await BrokerHarness.StartAsync(wrapStore: held.Around);
        var lease = await broker.IssueAsync();
        broker.Issuer.BeforeRevoke = _ => new TaskCompletionSource().Task;
        held.Hold = true;

        var releasing = ReleaseAsync(broker, lease);
        await held.Reached.Task;
        broker.Time.Advance(broker.Options.ReleaseWait + TimeSpan.FromSeconds(1));
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(lease.Id)).State);
        Assert.False(releasing.IsCompleted);

        held.GoOn.SetResult();
        while (!releasing.IsCompleted)
        {
            broker.Time.Advance(broker.Options.ReleaseWait);
            await Task.Yield();
        }

        Assert.Equal(LeaseState.Revoking, Assert.IsType<LeaseOutcome.Found>(await releasing).Lease.State);
        Assert.Equal(LeaseState.Revoking, (await broker.LeaseAsync(lease.Id)).State);
    }

    private static Task<LeaseOutcome> ReleaseAsync(BrokerHarness broker, Lease lease) =>
        broker
            .Agents.ReleaseAsync(
                FakeWorkloadVerifier.Token("triage"),
                lease.Id,
                BrokerHarness.Call,
                CancellationToken.None
            )
            .AsTask();

    private static async Task<RevocationOrder> OrderAsync(BrokerHarness broker, LeaseSelector selector) =>
        await broker.Revocations.OrderAsync(
            selector,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

    private static async Task<RevocationProgress> ProgressAsync(BrokerHarness broker, RevocationOrder order) =>
        (await broker.Revocations.FindAsync(order.Id, CancellationToken.None))!;

    /// <summary>A store that keeps claims waiting while a test says so.</summary>
    private sealed class HeldClaims
    {
        public bool Hold { get; set; }

        public TaskCompletionSource Reached { get; } = new();

        public TaskCompletionSource GoOn { get; } = new();

        public IBrokerStore Around(IBrokerStore store) => new Wrapped(store, this);

        private sealed class Wrapped(IBrokerStore inner, HeldClaims held) : IBrokerStore
        {
            public event Action? News
            {
                add => inner.News += value;
                remove => inner.News -= value;
            }

            public StorePosition Position => inner.Position;

            public string? Fault => inner.Fault;

            public ValueTask<IReadOnlyList<StoreBroker>> ListBrokersAsync(CancellationToken cancellationToken) =>
                inner.ListBrokersAsync(cancellationToken);

            public ValueTask WatchAsync(CancellationToken cancellationToken) => inner.WatchAsync(cancellationToken);

            public ILeaseReader Leases => inner.Leases;

            public IRevocationReader Revocations => inner.Revocations;

            public IHoldReader Holds => inner.Holds;

            public ILimitReader Limits => inner.Limits;

            public IPolicyReader Policies => inner.Policies;

            public IVaultClusterReader VaultCluster => inner.VaultCluster;

            public IEpochReader Epoch => inner.Epoch;

            public IIdempotencyReader Idempotency => inner.Idempotency;

            public IApprovalReader Approvals => inner.Approvals;

            public INotificationReader Notifications => inner.Notifications;

            public IOwnerReader Owners => inner.Owners;

            public ITimeBoxReader TimeBoxes => inner.TimeBoxes;

            public async ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken)
            {
                if (held.Hold && change is StateChange.RevocationClaimed)
                {
                    held.Reached.TrySetResult();
                    await held.GoOn.Task;
                }

                return await inner.CommitAsync(change, cancellationToken);
            }
        }
    }
}
