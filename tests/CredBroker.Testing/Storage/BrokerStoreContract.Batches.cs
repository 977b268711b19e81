using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Testing.Audit;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task Hundreds_of_callers_at_once_each_get_their_own_answer()
    {
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 500)
                .Select(i =>
                    Task.Run(async () =>
                    {
                        var lease = Samples.Lease(Samples.Decision(task: $"t-{i % 50}"));
                        var opened = await CommitAsync(Samples.Opened(lease));
                        var activated = await CommitAsync(Samples.Activated(lease.Id));
                        Assert.Equal(LeaseState.Active, (await FindAsync(lease.Id)).State);
                        return (Opened: opened.Event!, Activated: activated.Event!);
                    })
                )
        );
        Assert.Equal(
            Enumerable.Range(2, 1000).Select(i => (long)i),
            outcomes.SelectMany(pair => new[] { pair.Opened.Sequence, pair.Activated.Sequence }).Order()
        );
        var byPosition = (await ReadLogAsync()).ToDictionary(
            record => record.Sequence,
            record => AuditRecordWriter.Hash(record.Bytes.Span)
        );
        Assert.All(
            outcomes,
            pair =>
                Assert.Equal(
                    (pair.Opened.Hash, pair.Activated.Hash),
                    (byPosition[pair.Opened.Sequence], byPosition[pair.Activated.Sequence])
                )
        );
        Assert.Null((await VerifyAsync()).Fault);
    }

    [Fact]
    public async Task A_failed_guard_takes_no_neighbour_along()
    {
        var good = Enumerable.Range(0, 100).Select(_ => Samples.Lease()).ToList();
        var commits = good.SelectMany(lease =>
                new StateChange[]
                {
                    Samples.Opened(lease),
                    Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 9, task: lease.Id)), owner: Stranger),
                    Samples.Activated(Samples.NewId()),
                }
            )
            .Select(change => Store.CommitAsync(change, default).AsTask())
            .ToList();
        var outcomes = await Task.WhenAll(commits);
        Assert.Equal(100, outcomes.OfType<CommitOutcome.Committed>().Count());
        Assert.Equal(101, (await ReadLogAsync()).Count);
        Assert.All(good, lease => Assert.NotNull(Store.Leases.FindAsync(lease.Id, default).AsTask().Result));
    }

    [Fact]
    public async Task A_row_that_cannot_be_written_takes_no_neighbour_along()
    {
        var lease = await PendingLeaseAsync();
        var commits = Enumerable
            .Range(0, 200)
            .Select(i => Store.CommitAsync(i % 10 == 0 ? Samples.Opened(lease) : Samples.Opened(), default).AsTask())
            .ToList();
        for (var i = 0; i < commits.Count; i++)
        {
            if (i % 10 == 0)
            {
                await Assert.ThrowsAsync<StoreUnavailableException>(() => commits[i]);
            }
            else
            {
                Assert.IsType<CommitOutcome.Committed>(await commits[i]);
            }
        }

        Assert.Equal(2 + 180, (await ReadLogAsync()).Count);
        Assert.Null((await VerifyAsync()).Fault);
    }

    [Fact]
    public async Task A_malformed_event_fails_alone_and_before_it_is_queued()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Store.CommitAsync(
                StoreSamples.Recorded(
                    StoreSamples.Event() with
                    {
                        What = new TestFact("test.event", json => json.WriteStartArray()),
                    }
                ),
                default
            )
        );
        await CommitAsync(StoreSamples.Recorded());
    }

    [Fact]
    public async Task A_cancelled_commit_is_not_taken()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await Store.CommitAsync(StoreSamples.Recorded(), new(canceled: true))
        );
        Assert.Single(await ReadLogAsync());
    }

    [Fact]
    public async Task A_cancellation_leaves_either_a_commit_or_nothing()
    {
        var (committed, cancelled) = (0, 0);
        await Task.WhenAll(
            Enumerable
                .Range(0, 400)
                .Select(i =>
                    Task.Run(async () =>
                    {
                        using var cancellation = new CancellationTokenSource();
                        var commit = Store.CommitAsync(StoreSamples.Recorded(), cancellation.Token);
                        await cancellation.CancelAsync();
                        try
                        {
                            await commit;
                            Interlocked.Increment(ref committed);
                        }
                        catch (OperationCanceledException)
                        {
                            Interlocked.Increment(ref cancelled);
                        }
                    })
                )
        );
        Assert.Equal(400, committed + cancelled);
        Assert.Equal(1 + committed, (await ReadLogAsync()).Count);
    }

    [Fact]
    public async Task The_clock_never_goes_back_not_even_over_a_restart()
    {
        var committed = await CommitAsync(StoreSamples.Recorded());
        Reopen();
        Time.AdjustTime(Now.AddHours(-3));
        Assert.Equal(committed.At, Store.Position.UtcNow);
        Assert.Equal(committed.At, (await CommitAsync(StoreSamples.Recorded())).At);
        Time.Advance(TimeSpan.FromHours(4));
        Assert.Equal(Now, Store.Position.UtcNow);
        Assert.Null((await VerifyAsync()).Fault);
    }

    [Fact]
    public async Task The_clock_does_not_go_back_within_a_process_either()
    {
        var seen = Store.Position.UtcNow;
        Time.AdjustTime(Now.AddMinutes(-5));
        Assert.Equal(seen, Store.Position.UtcNow);
        Assert.Equal(seen, (await CommitAsync(StoreSamples.Recorded())).At);
    }

    [Fact]
    public async Task A_closed_store_refuses()
    {
        var store = Store;
        Reopen();
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await store.CommitAsync(StoreSamples.Recorded(), default)
        );
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await store.Leases.FindAsync(Samples.NewId(), default)
        );
    }

    [Fact]
    public async Task What_waits_at_closing_is_committed()
    {
        var commits = Enumerable
            .Range(0, 300)
            .Select(_ => Store.CommitAsync(StoreSamples.Recorded(), default).AsTask())
            .ToList();
        Reopen();
        Assert.All(await Task.WhenAll(commits), outcome => Assert.IsType<CommitOutcome.Committed>(outcome));
        Assert.Equal(1 + 300 + 1 + 1, (await ReadLogAsync()).Count);
    }
}
