using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

/// <summary>Several transitions that must be one.</summary>
public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task Transitions_committed_together_are_all_made_and_recorded_in_their_order()
    {
        var lease = await PendingLeaseAsync();
        var ordered = Samples.Ordered(new() { Instance = "i-9" });
        var outcome = await CommitAsync(
            new StateChange.All([Samples.Activated(lease.Id), Samples.Claimed(lease.Id), ordered])
        );
        Assert.Equal(LeaseState.Revoking, (await FindAsync(lease.Id)).State);
        Assert.Equal(
            [ordered.Order with { Fence = 1 }],
            await Store.Revocations.FindOpenAsync(100, _ => true, default)
        );
        Assert.Equal(
            [LeaseIssued.TypeName, RevocationRequested.TypeName, RevocationOrdered.TypeName],
            await RecordedAsync(after: 2)
        );
        Assert.Equal((1L, Store.Position.AuditHead), (outcome.Number, outcome.Event));
        Assert.Null((await VerifyAsync()).Fault);
    }

    [Fact]
    public async Task A_guard_that_fails_undoes_the_transitions_before_it()
    {
        var (pending, fresh) = (await PendingLeaseAsync(), Samples.Lease(Samples.Decision(task: "t-9")));
        await AssertGuardAsync(
            GuardFailure.PolicyWasVersionBefore,
            new StateChange.All([
                StoreSamples.Policy(0, "a"),
                Samples.Activated(pending.Id),
                Samples.Ordered(new() { Everything = true }),
                StoreSamples.Policy(1, "a"),
            ])
        );
        await AssertGuardAsync(
            GuardFailure.NotFound,
            new StateChange.All([Samples.Opened(fresh), StoreSamples.Revoked(Samples.NewId())])
        );
        Assert.Equal(LeaseState.Pending, (await FindAsync(pending.Id)).State);
        Assert.Null(await Store.Leases.FindAsync(fresh.Id, default));
        Assert.Empty(await Store.Revocations.FindOpenAsync(100, _ => true, default));
        Assert.Null(await Store.Policies.FindNewestAsync(default));
        Assert.Equal((0L, 0L), (Store.Position.Fence, Store.Position.PolicyVersion));

        // Neither the numbers nor the task that were undone are missing afterwards.
        Assert.Equal(1, (await CommitAsync(StoreSamples.Policy(0, "a"))).Number);
        Assert.Equal(1, (await CommitAsync(Samples.Ordered(new() { Instance = "i-9" }))).Number);
        await CommitAsync(
            Samples.Opened(Samples.Lease(Samples.Decision(task: "t-9", policyVersion: 1)), fence: 1, owner: Stranger)
        );
    }

    [Fact]
    public async Task A_transition_sees_what_those_before_it_did()
    {
        var lease = Samples.Lease(Samples.Decision(policyVersion: 1));
        await CommitAsync(new StateChange.All([StoreSamples.Policy(0, "a"), Samples.Opened(lease)]));
        await AssertGuardAsync(
            GuardFailure.Revoked,
            new StateChange.All([
                Samples.Ordered(new() { Instance = "i-1" }),
                Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 1))),
            ])
        );
        await CommitAsync(Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 1))));
        await AssertGuardAsync(
            GuardFailure.TaskClosed,
            new StateChange.All([.. Samples.Closed().Changes, .. Samples.Closed().Changes])
        );
    }

    [Fact]
    public async Task Transitions_that_fail_together_take_no_neighbour_along()
    {
        var taken = await PendingLeaseAsync();
        var good = Enumerable.Range(0, 60).Select(_ => Samples.Lease()).ToList();
        var commits = new List<(bool IsGood, Task<CommitOutcome?> Outcome)>();
        foreach (var lease in good)
        {
            commits.Add((true, OutcomeAsync(Samples.Opened(lease))));
            commits.Add((false, OutcomeAsync(All(StoreSamples.Recorded(), StoreSamples.Revoked(taken.Id)))));
            commits.Add((true, OutcomeAsync(All(StoreSamples.Recorded(), StoreSamples.Recorded()))));
            commits.Add(
                (false, OutcomeAsync(All(Samples.Ordered(new() { Everything = true }), Samples.Opened(taken))))
            );
        }

        foreach (var (isGood, outcome) in commits)
        {
            Assert.Equal(isGood, await outcome is CommitOutcome.Committed);
        }

        Assert.Equal(2 + 3 * 60, (await ReadLogAsync()).Count);
        Assert.All(good, lease => Assert.NotNull(Store.Leases.FindAsync(lease.Id, default).AsTask().Result));
        Assert.Empty(await Store.Revocations.FindOpenAsync(100, _ => true, default));
        Assert.Null((await VerifyAsync()).Fault);

        // A row that cannot be written twice is the change's own fault, told by an exception.
        async Task<CommitOutcome?> OutcomeAsync(StateChange change)
        {
            try
            {
                return await Store.CommitAsync(change, default);
            }
            catch (StoreUnavailableException)
            {
                return null;
            }
        }
    }

    [Fact]
    public async Task Closing_a_task_is_one_event()
    {
        await CommitAsync(Samples.Opened());
        await CommitAsync(Samples.Closed());
        Assert.Equal([TaskClosed.TypeName], await RecordedAsync(after: 2));
    }

    [Fact]
    public async Task Nothing_is_changed_without_an_event()
    {
        var lease = await PendingLeaseAsync();
        foreach (
            var change in new StateChange[]
            {
                StoreSamples.Revoked(lease.Id) with
                {
                    Event = null,
                },
                new StateChange.All([Samples.Activated(lease.Id) with { Event = null }]),
                All(),
            }
        )
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CommitAsync(change, default));
        }

        Assert.Equal(LeaseState.Pending, (await FindAsync(lease.Id)).State);
        Assert.Equal(2, (await ReadLogAsync()).Count);
    }

    [Fact]
    public async Task Nothing_is_changed_beside_a_transition_whose_event_is_not_recorded()
    {
        // A claim that is taken up again changes the lease and is not told a second time.
        var lease = await PendingLeaseAsync();
        await CommitAsync(Samples.Claimed(lease.Id));
        await CommitAsync(Samples.Claimed(lease.Id));
        var silent = Samples.Ordered(new() { Everything = true }) with { Event = null };
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await Store.CommitAsync(All(Samples.Claimed(lease.Id), silent), default)
        );

        Assert.Empty(await Store.Revocations.FindOpenAsync(100, _ => true, default));
        Assert.Equal(0, Store.Position.Fence);
        Assert.Equal(3, (await ReadLogAsync()).Count);
    }

    private static StateChange.All All(params StateChange.Transition[] changes) => new(changes);

    private async Task<List<string>> RecordedAsync(int after) =>
        [.. (await ReadLogAsync()).Skip(after).Select(record => AuditRecordHeader.Read(record.Bytes.Span)!.Type)];
}
