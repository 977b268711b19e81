using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Revocations;

/// <summary>Who waits for whom: an emergency for nobody.</summary>
public sealed class RevocationRunTests
{
    [Fact]
    public async Task An_admins_order_is_carried_out_before_ten_thousand_closed_tasks()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync(BrokerHarness.Command(task: "t-admin"));
        await broker.IssueAsync(BrokerHarness.Command(task: "t-closed"));
        foreach (var chunk in Enumerable.Range(0, 10_000).Chunk(500))
        {
            await Task.WhenAll(
                chunk.Select(i => broker.Store.CommitAsync(ClosingOrder(broker, "t-closed", i), default).AsTask())
            );
        }

        var order = await broker.Revocations.OrderAsync(
            new() { Lease = lease.Id },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await Task.WhenAll(await broker.Retry.PassAsync(CancellationToken.None));

        var progress = await broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.NotNull(progress!.Order.EnumeratedAt);
        Assert.Equal([LeaseState.Revoked], progress.Counts.Keys);

        // One page at a time: none of the others has been looked at.
        Assert.Equal(1_000, (await broker.Store.Revocations.FindOpenAsync(1_000, _ => true, default)).Count);
        Assert.Single(await broker.LeasesAsync(LeaseState.Active));
    }

    [Fact]
    public async Task A_backend_that_does_not_answer_holds_up_no_other_and_keeps_few_calls_open()
    {
        await using var broker = await StartWithTwoAsync();
        var dead = await Task.WhenAll(Enumerable.Range(0, 120).Select(_ => broker.IssueAsync()));
        var well = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(_ => broker.IssueAsync(BrokerHarness.Command(credential: "other")))
        );
        var (open, most, hang) = (0, 0, new TaskCompletionSource());
        broker.Issuer.BeforeRevoke = async lease =>
        {
            if (lease.Decision.Request.Credential == "billing")
            {
                most = Math.Max(most, Interlocked.Increment(ref open));
                await hang.Task;
                Interlocked.Decrement(ref open);
            }
        };
        await OrderAsync(broker, new() { Credential = "billing" });
        await OrderAsync(broker, new() { Credential = "other" });

        while ((await broker.LeasesAsync(LeaseState.Revoked)).Count < well.Length)
        {
            var underWay = await broker.Retry.PassAsync(CancellationToken.None);
            // Of the dead three times as many are claimed as may be open, and as many wait for that; emergencies have room
            // for some more. Those that are well may just be at their end, their turn given to others already.
            Assert.InRange(underWay.Count, 1, 2 * 4 * broker.Options.RevocationParallelism + well.Length);
            await Task.Yield();
        }

        Assert.InRange(most, 1, broker.Options.RevocationParallelism);
        Assert.Equal(dead.Length, (await broker.LeasesAsync(LeaseState.Revoking)).Count);
        broker.Issuer.BeforeRevoke = null;
        hang.SetResult();
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_first_attempt_waits_for_no_repeated_one_at_its_own_backend_either()
    {
        await using var broker = await BrokerHarness.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => broker.IssueAsync()));
        broker.Issuer.BackendDown = true;
        await OrderAsync(broker, new() { Everything = true });
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(40, (await broker.LeasesAsync(LeaseState.Failed)).Count);

        // Now each repeated attempt hangs, and one that was never tried comes.
        broker.Issuer.BackendDown = false;
        var hang = new TaskCompletionSource();
        broker.Issuer.BeforeRevoke = lease => lease.Attempts > 0 ? hang.Task : Task.CompletedTask;
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await broker.Retry.PassAsync(CancellationToken.None);
        var fresh = await broker.IssueAsync();
        await OrderAsync(broker, new() { Lease = fresh.Id });
        while ((await broker.LeaseAsync(fresh.Id)).State != LeaseState.Revoked)
        {
            await broker.Retry.PassAsync(CancellationToken.None);
            await Task.Yield();
        }

        Assert.Equal(40, (await broker.LeasesAsync(LeaseState.Failed, LeaseState.Revoking)).Count);
        hang.SetResult();
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(broker.Issuer.Alive);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Leases_that_await_their_proof_hold_up_no_repeated_attempt(bool isSweepUnderWay)
    {
        await using var broker = await BrokerHarness.StartAsync();
        var failed = await broker.IssueAsync();
        broker.Issuer.AfterMint = (_, _) =>
            Task.FromResult<MintOutcome>(new MintOutcome.Unknown(new(RefusalCode.MintOutcomeUnknown, "not known")));
        for (var i = 0; i < 30; i++)
        {
            await broker.RefusedAsync(BrokerHarness.Command());
        }

        broker.Time.Advance(TimeSpan.FromSeconds(91));
        var (listed, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        broker.Issuer.BeforeList = _ =>
        {
            listed.TrySetResult();
            return goOn.Task;
        };
        if (isSweepUnderWay)
        {
            await broker.Retry.PassAsync(CancellationToken.None);
            await listed.Task;
        }

        // All of them have been due for longer than what failed a moment ago.
        broker.Issuer.BackendDown = true;
        await broker.Revoker.RevokeAsync(
            failed,
            new(RevocationCause.Released, AuditActor.Broker("test"), null, null),
            LeaseStates.NotOver
        );
        broker.Issuer.BackendDown = false;
        broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(LeaseState.Failed, (await broker.LeaseAsync(failed.Id)).State);

        await broker.Retry.PassAsync(CancellationToken.None);
        await listed.Task;
        await Eventually.BecomesTrueAsync(
            async () => (await broker.LeaseAsync(failed.Id)).State == LeaseState.Revoked,
            "the repeated attempt"
        );

        Assert.Equal(30, (await broker.LeasesAsync(LeaseState.Revoking)).Count);
        goOn.SetResult();
        await RunAsync(broker);
        Assert.Equal(31, (await broker.LeasesAsync(LeaseState.Revoked)).Count);
    }

    [Fact]
    public async Task An_order_brings_a_lease_that_waits_in_a_lower_lane_before_all_others()
    {
        await using var broker = await BrokerHarness.StartAsync();
        // In the order of their ids, in which they are begun.
        var leases = (await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => broker.IssueAsync())))
            .OrderBy(lease => lease.Id, StringComparer.Ordinal)
            .ToArray();
        var (tried, places) = (new ConcurrentQueue<string>(), new SemaphoreSlim(0));
        broker.Issuer.BeforeRevoke = async lease =>
        {
            tried.Enqueue(lease.Id);
            await places.WaitAsync();
        };

        // Four are at the backend, eight are claimed and wait for a place there, sixteen wait for their turn, and four have
        // not come so far.
        await MarkAsync(broker, leases[..4], RevocationCause.PolicyChange);
        await PassUntilAsync(broker, () => tried.Count == 4);
        await MarkAsync(broker, leases[4..], RevocationCause.TaskClosed);
        await broker.Retry.PassAsync(CancellationToken.None);
        var (bulkhead, line) = (
            broker.Bulkheads.Of(leases[0].Grant.Entry.Backend),
            broker.Bulkheads.LineOf(leases[0].Grant.Entry.Backend)
        );
        Assert.Equal(0, line.Room((int)RevocationLane.Ending));
        await PassUntilAsync(broker, () => bulkhead.Room((int)RevocationLane.Ending) == 0);

        var ordered = new[] { leases[7], leases[20], leases[31] };
        foreach (var lease in ordered)
        {
            await OrderAsync(broker, new() { Lease = lease.Id });
        }

        await PassUntilAsync(broker, () => bulkhead.Room((int)RevocationLane.Emergency) == 5);
        places.Release(3);
        await PassUntilAsync(broker, () => tried.Count == 7);

        Assert.Equal(
            ordered.Select(lease => lease.Id).Order(StringComparer.Ordinal),
            tried.Skip(4).Order(StringComparer.Ordinal)
        );
        places.Release(100);
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(broker.Issuer.Alive);
    }

    [Fact]
    public async Task An_order_that_comes_while_an_attempt_is_under_way_has_one_of_its_own_at_once()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        var (atVault, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        (broker.Issuer.BackendDown, broker.Issuer.BeforeRevoke) = (
            true,
            async _ =>
            {
                atVault.TrySetResult();
                await goOn.Task;
            }
        );
        await MarkAsync(broker, [lease], RevocationCause.TaskClosed);
        await broker.Retry.PassAsync(CancellationToken.None);
        await atVault.Task;
        await OrderAsync(broker, new() { Lease = lease.Id });
        var underWay = await broker.Retry.PassAsync(CancellationToken.None);
        goOn.SetResult();
        await Task.WhenAll(underWay);
        Assert.Equal(RevocationLane.Emergency, (await broker.LeaseAsync(lease.Id)).Lane);

        await broker.Retry.RunAsync(CancellationToken.None);
        var failed = await broker.LeaseAsync(lease.Id);
        Assert.Equal((2, RevocationLane.Retry), (failed.Attempts, failed.Lane));

        // That was it: looking at the order again, or repeating its pass, hurries nothing.
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(2, (await broker.LeaseAsync(lease.Id)).Attempts);
    }

    [Fact]
    public async Task What_was_not_tried_is_no_attempt()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var leases = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => broker.IssueAsync()));
        broker.Issuer.Revoked = _ => new RevokeOutcome.Failed("no answer within 15 s") { IsUnanswered = true };
        await MarkAsync(broker, leases[..3], RevocationCause.Admin);
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.NotNull(broker.Bulkheads.Of(leases[0].Grant.Entry.Backend).Paused);

        await broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage"),
            leases[3].Id,
            BrokerHarness.Call,
            CancellationToken.None
        );

        var released = await broker.LeaseAsync(leases[3].Id);
        Assert.Equal(
            (LeaseState.Revoking, 0, RevocationLane.Ending),
            (released.State, released.Attempts, released.Lane)
        );
        Assert.Null(released.ClaimedUntil);
        Assert.Contains("Not tried", released.LastError, StringComparison.Ordinal);
        // As due as it was, before all that comes later.
        Assert.Null(released.NextAttemptAt);
    }

    [Fact]
    public async Task A_backend_that_never_answers_is_tried_less_and_less_and_all_is_revoked_when_it_is_back()
    {
        await using var broker = await BrokerHarness.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => broker.IssueAsync()));
        var calls = 0;
        broker.Issuer.Revoked = _ =>
        {
            Interlocked.Increment(ref calls);
            return new RevokeOutcome.Failed("no answer within 15 s") { IsUnanswered = true };
        };
        await OrderAsync(broker, new() { Everything = true });
        await broker.Retry.RunAsync(CancellationToken.None);
        // What was let in before the third went without an answer.
        Assert.InRange(calls, 3, broker.Options.RevocationParallelism + 2);

        calls = 0;
        for (var second = 0; second < 300; second++)
        {
            broker.Time.Advance(TimeSpan.FromSeconds(1));
            await broker.Retry.RunAsync(CancellationToken.None);
        }

        // 2 + 4 + 8 + 16 s, and then every 30 s.
        Assert.InRange(calls, 8, 14);
        Assert.Equal(40, broker.Issuer.Alive.Count);

        broker.Issuer.Revoked = null;
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(broker.Issuer.Alive);
    }

    [Fact]
    public async Task Closing_an_unknown_task_makes_no_order_and_one_workload_closes_only_so_many_a_minute()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var fence = broker.Store.Position.Fence;
        for (var i = 0; i < 600; i++)
        {
            Assert.Null(await CloseAsync(broker, "triage", $"t-{i}"));
        }

        var refused = await CloseAsync(broker, "triage", "t-600");
        Assert.Equal(RefusalCode.Overloaded, refused!.Code);
        Assert.NotNull(refused.RetryAfter);
        Assert.Null(await CloseAsync(broker, "helper", "t-600"));
        Assert.Equal(fence, broker.Store.Position.Fence);

        broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await CloseAsync(broker, "triage", "t-601"));
    }

    [Fact]
    public async Task Above_a_rate_the_denials_of_one_caller_are_counted_and_anothers_are_recorded()
    {
        await using var broker = await BrokerHarness.StartAsync();
        for (var i = 0; i < 350; i++)
        {
            await broker.RefusedAsync(BrokerHarness.Command(workload: "helper"));
        }

        await broker.RefusedAsync(BrokerHarness.Command(workload: "stranger"));
        await broker.RefusedCalls.FlushAsync(CancellationToken.None);

        Assert.Equal(301, (await broker.EventsAsync("request.denied")).Count);
        var counted = Assert.Single(await broker.EventsAsync("request.refused-counted")).GetProperty("details");
        Assert.Equal(50, counted.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Passing_until_nothing_is_due_does_not_wait_for_a_stray_that_is_tried_again_later()
    {
        await using var broker = await BrokerHarness.StartAsync();
        const string stray = "database/creds/billing/stray";
        (broker.Issuer.Alive[stray], broker.Issuer.MintedAt[stray]) = ("accessor", broker.Time.GetUtcNow());
        broker.Issuer.StrayOutcome = new RevokeOutcome.Failed("connection refused");
        var order = await OrderAsync(broker, new() { Everything = true });

        await RunAsync(broker);
        Assert.Null((await broker.Revocations.FindAsync(order.Id, default))!.Order.EnumeratedAt);

        broker.Issuer.StrayOutcome = null;
        broker.Time.Advance(TimeSpan.FromSeconds(5));
        await RunAsync(broker);
        Assert.NotNull((await broker.Revocations.FindAsync(order.Id, default))!.Order.EnumeratedAt);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_the_store_does_not_take_is_killed_at_Vault_and_put_on_record_later(bool isMarked)
    {
        LosingStore<StateChange.RevocationClaimed>? store = null;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        var lease = await broker.IssueAsync();
        var order = await OrderAsync(broker, new() { Everything = true });
        if (isMarked)
        {
            await broker.Revoker.MarkAsync(
                lease,
                new(RevocationCause.Admin, BrokerHarness.Admin, order.Id, null),
                LeaseStates.NotOver
            );
        }

        // The secret does not wait for the store; nothing is called revoked.
        store!.Lost = true;
        await RunAsync(broker);
        Assert.Empty(broker.Issuer.Alive);
        Assert.NotEqual(LeaseState.Revoked, (await broker.LeaseAsync(lease.Id)).State);

        store.Lost = false;
        await RunAsync(broker);
        Assert.NotEqual(LeaseState.Revoked, (await broker.LeaseAsync(lease.Id)).State);
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await RunAsync(broker);
        Assert.Equal(LeaseState.Revoked, (await broker.LeaseAsync(lease.Id)).State);
        Assert.NotNull((await broker.Revocations.FindAsync(order.Id, default))!.Order.EnumeratedAt);
    }

    [Fact]
    public async Task A_lease_that_the_store_does_not_mark_keeps_no_other_from_it()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var (broken, well) = (await broker.IssueAsync(), await broker.IssueAsync());
        await broker.RefuseRowAsync(broken.Id);

        var order = await OrderAsync(broker, new() { Agent = "triage" });
        await RunAsync(broker);

        Assert.Equal(LeaseState.Revoked, (await broker.LeaseAsync(well.Id)).State);
        Assert.Null((await broker.Revocations.FindAsync(order.Id, default))!.Order.EnumeratedAt);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    public async Task An_order_that_somebody_damaged_stops_no_other_and_reaches_nothing(string selector)
    {
        await using var broker = await BrokerHarness.StartAsync();
        var (lease, other) = (await broker.IssueAsync(), await broker.IssueAsync());
        var damaged = await OrderAsync(broker, new() { Agent = "helper" });
        Assert.Equal(
            1,
            await broker.ExecuteAsync(
                $"UPDATE revocation_order SET selector = '{selector}', cause = 'whim' WHERE id = '{damaged.Id}'"
            )
        );

        var order = await OrderAsync(broker, new() { Lease = lease.Id });
        await broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal(LeaseState.Revoked, (await broker.LeaseAsync(lease.Id)).State);
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(other.Id)).State);
        Assert.NotNull((await broker.Revocations.FindAsync(order.Id, default))!.Order.EnumeratedAt);
        await broker.IssueAsync();
    }

    private static async Task MarkAsync(BrokerHarness broker, Lease[] leases, RevocationCause cause)
    {
        foreach (var lease in leases)
        {
            Assert.True(
                await broker.Revoker.MarkAsync(
                    lease,
                    new(cause, AuditActor.Broker("test"), null, null),
                    LeaseStates.Live
                )
            );
        }
    }

    private static async Task PassUntilAsync(BrokerHarness broker, Func<bool> isSo)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            await broker.Retry.PassAsync(giveUp.Token);
            await Task.Yield();
        }
    }

    // A loop without an end is given up here.
    private static async Task RunAsync(BrokerHarness broker)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await broker.Retry.RunAsync(giveUp.Token);
    }

    private static async Task<BrokerHarness> StartWithTwoAsync()
    {
        var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
        return broker;
    }

    private static async Task<RevocationOrder> OrderAsync(BrokerHarness broker, LeaseSelector selector) =>
        await broker.Revocations.OrderAsync(
            selector,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

    private static ValueTask<Refusal?> CloseAsync(BrokerHarness broker, string workload, string task) =>
        broker.Tasks.CloseAsync(
            FakeWorkloadVerifier.Token(workload),
            "invoice-triage",
            task,
            BrokerHarness.Call,
            CancellationToken.None
        );

    private static StateChange.RevocationOrdered ClosingOrder(BrokerHarness broker, string task, int number) =>
        new()
        {
            Order = new()
            {
                Id = $"order-{number}",
                Selector = new() { Process = "invoice-triage", Task = task },
                Cause = RevocationCause.TaskClosed,
                RequestedBy = "workload:https://idp.example#sub",
                RequestedAt = broker.Time.GetUtcNow(),
            },
            Event = new() { What = new Testing.Audit.TestFact("revocation.ordered"), Actor = BrokerHarness.Admin },
        };
}
