using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;

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
    public async Task A_store_lost_at_release_does_not_keep_the_secret_alive()
    {
        await using var broker = await StartAsync<StateChange.RevocationClaimed>(out var losing);
        var lease = await broker.IssueAsync();
        losing.Lost = true;

        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await broker.Agents.ReleaseAsync(
                FakeWorkloadVerifier.Token("triage", "1"),
                lease.Id,
                BrokerHarness.Call,
                CancellationToken.None
            )
        );
        Assert.Empty(broker.Issuer.Alive);
    }

    [Fact]
    public async Task An_order_that_the_store_does_not_take_kills_is_never_complete_and_is_recorded_later()
    {
        await using var broker = await StartAsync<StateChange>(out var losing);
        var lease = await broker.IssueAsync();
        var other = await broker.IssueAsync(BrokerHarness.Command(task: "t-2"));
        losing.Lost = true;

        var order = await broker.Revocations.OrderAsync(
            new() { Task = "t-1" },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        var missing = Assert.IsType<MissingRecord>(broker.Missing.Find(order.Id));
        await broker.Unrecorded.KillAsync(missing, CancellationToken.None);
        Assert.Equal([other.VaultLeaseId!], broker.Issuer.Alive.Keys);

        var progress = await broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.Equal((1, null), (progress?.DeadAtVault, progress?.Order.EnumeratedAt));
        Assert.Equal([lease.Id], progress!.Leases.Select(reached => reached.Id));
        Assert.NotNull(broker.Readiness.Store);

        // Not taken: it stays.
        await broker.Unrecorded.RecordAsync(CancellationToken.None);
        Assert.True(broker.Missing.Any);

        losing.Lost = false;
        await broker.Unrecorded.RecordAsync(CancellationToken.None);
        Assert.False(broker.Missing.Any);
        Assert.Null(broker.Readiness.Store);
        Assert.Single(await broker.EventsAsync("revocation.ordered"));
        await broker.Retry.RunAsync(CancellationToken.None);
        progress = await broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.NotNull(progress?.Order.EnumeratedAt);
        Assert.Null(progress.DeadAtVault);
        Assert.Equal(LeaseState.Revoked, (await broker.LeaseAsync(lease.Id)).State);
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(other.Id)).State);
    }

    [Fact]
    public async Task A_quarantine_that_the_store_does_not_take_holds_at_once_and_is_recorded_with_its_order()
    {
        await using var broker = await StartAsync<StateChange.All>(out var losing);
        await broker.IssueAsync();
        losing.Lost = true;
        var placed = await broker.Holds.QuarantineAsync(
            new() { Agent = "triage" },
            null,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        Assert.True(placed.Passes(out var hold, out _));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(broker.Issuer.Alive.IsEmpty), "the secret is killed");

        // Nothing is issued to anybody while the hold has no record; afterwards to nobody whom it reaches.
        Assert.Equal(RefusalCode.RevokesOnly, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        losing.Lost = false;
        Assert.Equal(RefusalCode.RevokesOnly, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        await broker.Unrecorded.RecordAsync(CancellationToken.None);
        Assert.Equal(RefusalCode.Held, (await broker.RefusedAsync(BrokerHarness.Command())).Code);

        Assert.Equal(hold.Id, Assert.Single(await broker.Holds.ListAsync(CancellationToken.None)).Id);
        Assert.Equal(
            [HoldPlaced.TypeName, RevocationOrdered.TypeName],
            (await broker.EventsAsync())
                .Select(e => e.GetProperty("type").GetString())
                .Where(type => type is HoldPlaced.TypeName or RevocationOrdered.TypeName)
        );
    }

    [Fact]
    public async Task An_order_of_unknown_outcome_is_recorded_once()
    {
        await using var broker = await StartAsync<StateChange.RevocationOrdered>(out var losing);
        await broker.IssueAsync();
        losing.LosesReply = true;
        await broker.Revocations.OrderAsync(
            new() { Task = "t-1" },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        losing.LosesReply = false;
        await broker.Unrecorded.RecordAsync(CancellationToken.None);
        Assert.False(broker.Missing.Any);
        Assert.Single(await broker.EventsAsync("revocation.ordered"));
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

    [Fact]
    public async Task Counted_refusals_that_the_store_did_not_take_are_counted_with_the_next()
    {
        await using var broker = await StartAsync<StateChange.EventRecorded>(out var losing);
        for (var i = 0; i < 350; i++)
        {
            await broker.RefusedAsync(BrokerHarness.Command(workload: "helper"));
        }

        losing.Lost = true;
        for (var i = 0; i < 10; i++)
        {
            broker.Time.Advance(TimeSpan.FromMinutes(1));
            await broker.RefusedCalls.FlushAsync(CancellationToken.None);
        }

        losing.Lost = false;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await broker.RefusedCalls.FlushAsync(new CancellationToken(canceled: true))
        );
        await broker.RefusedCalls.FlushAsync(CancellationToken.None);

        var counted = Assert.Single(await broker.EventsAsync("request.refused-counted")).GetProperty("details");
        Assert.Equal(50, counted.GetProperty("total").GetInt32());
    }

    internal static Task<BrokerHarness> StartAsync<TChange>(out LosingStore<TChange> losing)
        where TChange : StateChange
    {
        LosingStore<TChange>? wrapper = null;
        var started = BrokerHarness.StartAsync(wrapStore: store => wrapper = new(store));
        losing = wrapper!;
        return started;
    }

    [Fact]
    public async Task However_many_end_while_the_store_takes_nothing_each_is_killed()
    {
        LosingStore<StateChange.RevocationClaimed>? store = null;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        await Task.WhenAll(Enumerable.Range(0, 510).Select(_ => broker.IssueAsync()));
        broker.Time.Advance(TimeSpan.FromMinutes(16));

        (store!.Lost, store.Said) = (true, "lost");
        await broker.Expiry.RunAsync(CancellationToken.None);
        await broker.Expiry.RunAsync(CancellationToken.None);
        Assert.Empty(broker.Issuer.Alive);

        (store.Lost, store.Said) = (false, null);
        await broker.ExpireAsync();
        Assert.Equal(510, (await broker.LeasesAsync(LeaseState.Revoked)).Count);
    }

    [Fact]
    public async Task What_a_dead_backend_keeps_holds_up_no_end_behind_it_while_the_store_takes_nothing()
    {
        LosingStore<StateChange.RevocationClaimed>? store = null;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        await broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
        await Task.WhenAll(Enumerable.Range(0, 510).Select(_ => broker.IssueAsync()));
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        var behind = await broker.IssueAsync(BrokerHarness.Command(credential: "other"));
        broker.Time.Advance(TimeSpan.FromMinutes(16));
        broker.Issuer.Revoked = lease =>
        {
            if (lease.Grant.Entry.Name == "billing")
            {
                return new RevokeOutcome.Failed("connection refused");
            }

            broker.Issuer.Alive.TryRemove(lease.VaultLeaseId!, out _);
            return new RevokeOutcome.Confirmed();
        };

        (store!.Lost, store.Said) = (true, "lost");
        await broker.Expiry.RunAsync(CancellationToken.None);

        Assert.DoesNotContain(behind.VaultLeaseId!, broker.Issuer.Alive.Keys);
        Assert.Equal(510, broker.Issuer.Alive.Count);
    }

    [Fact]
    public async Task What_a_backend_that_hangs_keeps_holds_up_no_end_behind_it_while_the_store_takes_nothing()
    {
        LosingStore<StateChange.RevocationClaimed>? store = null;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        await broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
        await Task.WhenAll(Enumerable.Range(0, 510).Select(_ => broker.IssueAsync()));
        broker.Time.Advance(TimeSpan.FromSeconds(1));
        var behind = await broker.IssueAsync(BrokerHarness.Command(credential: "other"));
        broker.Time.Advance(TimeSpan.FromSeconds(9));
        var later = await broker.IssueAsync(BrokerHarness.Command(credential: "other"));
        broker.Time.Advance(behind.ExpiresAt!.Value - broker.Time.GetUtcNow() + TimeSpan.FromSeconds(1));
        var hang = new TaskCompletionSource();
        var tried = 0;
        broker.Issuer.BeforeRevoke = async lease =>
        {
            if (lease.Grant.Entry.Name == "billing")
            {
                Interlocked.Increment(ref tried);
                await hang.Task;
            }
        };
        try
        {
            (store!.Lost, store.Said) = (true, "lost");

            // Its first revocations hang, and no time passes that would end their attempts.
            await broker.Expiry.RunAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Limit);
            await Eventually.BecomesTrueAsync(
                () => Task.FromResult(!broker.Issuer.Alive.ContainsKey(behind.VaultLeaseId!)),
                "what is due behind them is killed"
            );
            Assert.Equal(4, tried);

            // Nor do they hold up the next firings, which begin none of them again.
            Assert.Contains(later.VaultLeaseId!, broker.Issuer.Alive.Keys);
            broker.Time.Advance(TimeSpan.FromSeconds(9));
            await broker.Expiry.RunAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Limit);
            await Eventually.BecomesTrueAsync(
                () => Task.FromResult(!broker.Issuer.Alive.ContainsKey(later.VaultLeaseId!)),
                "what ends later is killed"
            );
            Assert.Equal(4, tried);
            hang.TrySetResult();
            await Eventually.BecomesTrueAsync(
                async () =>
                {
                    await broker.Expiry.RunAsync(CancellationToken.None);
                    return broker.Issuer.Alive.IsEmpty;
                },
                "what hung is killed"
            );
        }
        finally
        {
            hang.TrySetResult();
        }
    }

    [Fact]
    public async Task However_many_end_at_a_backend_that_hangs_few_are_begun_and_in_the_end_each_is_killed()
    {
        LosingStore<StateChange.RevocationClaimed>? store = null;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        await Task.WhenAll(Enumerable.Range(0, ExpirySweep.KillsOfABackend + 10).Select(_ => broker.IssueAsync()));
        broker.Time.Advance(TimeSpan.FromMinutes(16));
        var hang = new TaskCompletionSource();
        broker.Issuer.BeforeRevoke = _ => hang.Task;
        try
        {
            (store!.Lost, store.Said) = (true, "lost");
            for (var i = 0; i < 2; i++)
            {
                await broker.Expiry.RunAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Limit);
                Assert.Equal(ExpirySweep.KillsOfABackend, broker.Expiry.Killing);
            }
        }
        finally
        {
            hang.TrySetResult();
        }

        await Eventually.BecomesTrueAsync(
            async () =>
            {
                await broker.Expiry.RunAsync(CancellationToken.None);
                return broker.Issuer.Alive.IsEmpty;
            },
            "each is killed"
        );
    }

    [Fact]
    public async Task An_issuance_that_was_cut_short_loses_its_token_though_the_store_takes_nothing()
    {
        LosingStore<StateChange.RevocationClaimed>? store = null;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        broker.Issuer.BeforeMint = _ => throw new InvalidOperationException("the process dies here");
        await Assert.ThrowsAsync<InvalidOperationException>(() => broker.IssueAsync());
        Assert.Single(broker.Issuer.Tokens);
        broker.Time.Advance(broker.Options.IssuanceDeadline + TimeSpan.FromSeconds(1));

        store!.Lost = true;
        await broker.Pending.RunAsync(CancellationToken.None);
        Assert.Empty(broker.Issuer.Tokens);
        Assert.Equal(LeaseState.Pending, (await broker.OnlyLeaseAsync()).State);

        store.Lost = false;
        await broker.Pending.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoking, (await broker.OnlyLeaseAsync()).State);
    }
}
