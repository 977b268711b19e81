using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Theory]
    [InlineData(LeaseState.Pending)]
    [InlineData(LeaseState.Active)]
    public async Task The_first_claim_sets_cause_requester_and_time_and_is_recorded(LeaseState from)
    {
        var lease = from == LeaseState.Pending ? await PendingLeaseAsync() : await ActiveLeaseAsync();
        Time.Advance(TimeSpan.FromSeconds(7));
        var committed = await CommitAsync(Samples.Claimed(lease.Id, order: "order-1"));
        Assert.NotNull(committed.Event);
        AssertEqual(
            (await FindAsync(lease.Id)) with
            {
                State = LeaseState.Revoking,
                Cause = RevocationCause.Admin,
                RequestedBy = "requester of worker-1",
                RevocationRequestedAt = Now,
                RevocationId = "order-1",
                ClaimedBy = "worker-1",
                ClaimedUntil = Now.AddSeconds(30),
            },
            await FindAsync(lease.Id)
        );
    }

    [Fact]
    public async Task A_start_ends_the_claims_of_the_process_before_it()
    {
        var (untouched, ordered) = (await ActiveLeaseAsync(), await ActiveLeaseAsync());
        await CommitAsync(Samples.Claimed(untouched.Id));
        await CommitAsync(Samples.Claimed(ordered.Id, cause: RevocationCause.TaskClosed));
        await CommitAsync(Samples.Claimed(ordered.Id, by: null, order: Samples.NewId()));
        var pending = await PendingLeaseAsync();
        Assert.Empty(await RevocationsAsync());

        Reopen();

        Assert.Equal(
            new[] { untouched.Id, ordered.Id }.Order(StringComparer.Ordinal),
            (await RevocationsAsync()).Order(StringComparer.Ordinal)
        );
        Assert.Null((await FindAsync(untouched.Id)).ClaimedBy);
        // The order's own attempt is the next one, and no other after it comes first.
        await CommitAsync(Samples.Claimed(ordered.Id, by: "worker-2"));
        await CommitAsync(Samples.Failed(ordered.Id));
        Assert.False((await FindAsync(ordered.Id)).IsUrgent);
        Assert.Equal(LeaseState.Pending, (await FindAsync(pending.Id)).State);
    }

    [Fact]
    public async Task A_later_claim_keeps_the_cause_and_is_not_recorded()
    {
        var lease = await RevokingLeaseAsync();
        Time.Advance(TimeSpan.FromSeconds(30));
        var head = Store.Position.AuditHead;
        var committed = await CommitAsync(
            Samples.Claimed(lease.Id, "worker-2", RevocationCause.PolicyChange, "order-2")
        );
        Assert.Null(committed.Event);
        Assert.Equal(head, Store.Position.AuditHead);
        AssertEqual(
            lease with
            {
                ClaimedBy = "worker-2",
                ClaimedUntil = Now.AddSeconds(30),
                RevocationId = "order-2",
            },
            await FindAsync(lease.Id)
        );
    }

    [Fact]
    public async Task A_running_claim_keeps_other_workers_off()
    {
        var lease = await RevokingLeaseAsync();
        Time.Advance(TimeSpan.FromSeconds(29));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Claimed(lease.Id, "worker-2"));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Claimed(lease.Id, null));
        await CommitAsync(Samples.Claimed(lease.Id, "worker-1"));
    }

    [Fact]
    public async Task Marking_claims_nothing_and_makes_the_lease_due()
    {
        var lease = await ActiveLeaseAsync();
        Assert.NotNull((await CommitAsync(Samples.Claimed(lease.Id, by: null))).Event);
        Assert.Null((await FindAsync(lease.Id)).ClaimedBy);
        Assert.Equal([lease.Id], await RevocationsAsync());
    }

    [Fact]
    public async Task An_order_lists_what_others_are_revoking_and_takes_nothing_from_them()
    {
        var lease = await ActiveLeaseAsync();
        await CommitAsync(Samples.Claimed(lease.Id, "worker-1", order: "order-1"));
        var claimed = await FindAsync(lease.Id);

        Assert.Null((await CommitAsync(Samples.Claimed(lease.Id, by: null, order: "order-2"))).Event);

        AssertEqual(claimed with { IsUrgent = true }, await FindAsync(lease.Id));
        Assert.Equal([lease.Id], await ListAsync(new() { RevocationId = "order-1" }));
        Assert.Equal([lease.Id], await ListAsync(new() { RevocationId = "order-2" }));
        await CommitAsync(StoreSamples.Revoked(lease.Id));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Claimed(lease.Id, by: null, order: "order-3"));
        Assert.Empty(await ListAsync(new() { RevocationId = "order-3" }));
    }

    [Fact]
    public async Task Marking_hastens_a_failed_attempt_and_not_a_proof_that_time_must_bring()
    {
        var (failed, awaiting) = (await RevokingLeaseAsync(), await PendingLeaseAsync());
        await CommitAsync(Samples.Failed(failed.Id));
        await CommitAsync(Samples.Claimed(awaiting.Id));
        await CommitAsync(Samples.AccessorRevoked(awaiting.Id));

        await CommitAsync(Samples.Claimed(failed.Id, by: null, order: "order-1"));
        await CommitAsync(Samples.Claimed(awaiting.Id, by: null, order: "order-1"));

        Assert.Equal([failed.Id], await RevocationsAsync());

        // Once: the same order, whose pass is repeated, leaves it to its delay.
        Assert.Equal(RevocationLane.Emergency, (await FindAsync(failed.Id)).Lane);
        await CommitAsync(Samples.Failed(failed.Id));
        Assert.Equal(RevocationLane.Retry, (await FindAsync(failed.Id)).Lane);
        await CommitAsync(Samples.Claimed(failed.Id, by: null, order: "order-1"));
        Assert.Empty(await RevocationsAsync());
    }

    [Fact]
    public async Task Late_handles_are_kept_with_a_lease_that_is_not_over_and_else_with_a_lease_of_their_own()
    {
        var (lease, own) = (await PendingLeaseAsync(), Samples.NewId());
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Late(own, lease.Id));
        await CommitAsync(Samples.Claimed(lease.Id, order: "order-1"));
        await CommitAsync(Samples.Claimed(lease.Id, by: null, order: "order-2"));
        await CommitAsync(StoreSamples.Revoked(lease.Id));
        var over = await FindAsync(lease.Id);
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Recorded(lease.Id, StoreSamples.Handles));

        await CommitAsync(StoreSamples.Late(own, lease.Id));

        AssertEqual(over, await FindAsync(lease.Id));
        var late = await FindAsync(own);
        Assert.Equal(
            (LeaseState.Revoking, StoreSamples.Handles.VaultLeaseId, RevocationCause.Recovery, over.Decision.Id),
            (late.State, late.VaultLeaseId, late.Cause, late.Decision.Id)
        );
        Assert.Equal([own], await RevocationsAsync());
        Assert.Equal([own, lease.Id], await ListAsync(new() { RevocationId = "order-1" }));
        Assert.Equal([own, lease.Id], await ListAsync(new() { RevocationId = "order-2" }));
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Late(Samples.NewId(), Samples.NewId()));
    }

    [Fact]
    public async Task A_claim_comes_only_from_the_states_it_names()
    {
        var lease = await PendingLeaseAsync();
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Claimed(lease.Id, onlyFrom: [LeaseState.Active]));
        await CommitAsync(Samples.Claimed(lease.Id, onlyFrom: [LeaseState.Pending]));
        await AssertGuardAsync(GuardFailure.NotFound, Samples.Claimed(Samples.NewId()));
    }

    [Fact]
    public async Task What_is_over_is_not_claimed_whatever_the_claim_says()
    {
        var lease = await RevokingLeaseAsync();
        await CommitAsync(StoreSamples.Revoked(lease.Id));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Claimed(lease.Id));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Claimed(lease.Id, onlyFrom: [LeaseState.Revoked]));
    }

    [Fact]
    public async Task A_lease_renewed_since_the_sweep_read_it_is_not_expired()
    {
        var lease = await ActiveLeaseAsync();
        Time.Advance(TimeSpan.FromMinutes(2));
        await CommitAsync(Samples.Renewed(lease.Id));
        Time.Advance(TimeSpan.FromMinutes(1));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Claimed(lease.Id, cause: RevocationCause.Expiry));
        Time.Advance(TimeSpan.FromMinutes(7));
        await CommitAsync(Samples.Claimed(lease.Id, cause: RevocationCause.Expiry));
    }

    [Fact]
    public async Task A_confirmation_ends_the_lease()
    {
        var lease = await RevokingLeaseAsync();
        Time.Advance(TimeSpan.FromSeconds(1));
        await CommitAsync(StoreSamples.Revoked(lease.Id));
        AssertEqual(
            lease with
            {
                State = LeaseState.Revoked,
                ConfirmedAt = Now,
                ClaimedBy = null,
                ClaimedUntil = null,
            },
            await FindAsync(lease.Id)
        );
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Revoked(lease.Id));
    }

    [Fact]
    public async Task Only_what_is_being_revoked_is_confirmed_or_failed()
    {
        var (active, unknown) = ((await ActiveLeaseAsync()).Id, Samples.NewId());
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Revoked(active));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Failed(active));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.AccessorRevoked(active));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.AbsenceAwaited(active));
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Revoked(unknown));
        await AssertGuardAsync(GuardFailure.NotFound, Samples.Failed(unknown));
        await AssertGuardAsync(GuardFailure.NotFound, Samples.AccessorRevoked(unknown));
        await AssertGuardAsync(GuardFailure.NotFound, Samples.AbsenceAwaited(unknown));
    }

    [Fact]
    public async Task A_failed_attempt_is_kept_and_counted()
    {
        var lease = await RevokingLeaseAsync();
        await CommitAsync(Samples.Failed(lease.Id));
        await CommitAsync(Samples.Claimed(lease.Id));
        await CommitAsync(Samples.Failed(lease.Id));
        var failed = await FindAsync(lease.Id);
        AssertEqual(
            lease with
            {
                State = LeaseState.Failed,
                Attempts = 2,
                LastError = "connection refused",
                NextAttemptAt = Now.AddSeconds(5),
                ClaimedBy = null,
                ClaimedUntil = null,
            },
            failed
        );
        await CommitAsync(StoreSamples.Revoked(lease.Id));
        Assert.Equal(
            (LeaseState.Revoked, 2, null),
            (
                (await FindAsync(lease.Id)).State,
                (await FindAsync(lease.Id)).Attempts,
                (await FindAsync(lease.Id)).NextAttemptAt
            )
        );
    }

    [Fact]
    public async Task A_revoked_accessor_frees_the_claim_and_waits_for_its_proof()
    {
        var lease = await RevokingLeaseAsync(activated: false);
        await CommitAsync(Samples.AccessorRevoked(lease.Id));
        AssertEqual(
            lease with
            {
                AccessorRevokedAt = Now,
                GraceUntil = Now.AddSeconds(600),
                NextAttemptAt = Now.AddSeconds(90),
                ClaimedBy = null,
                ClaimedUntil = null,
            },
            await FindAsync(lease.Id)
        );
    }

    [Fact]
    public async Task An_absence_that_nobody_can_prove_is_awaited_as_revoking_with_the_end_that_is_known()
    {
        var lease = await RevokingLeaseAsync(activated: false);
        await CommitAsync(Samples.AccessorRevoked(lease.Id));
        await CommitAsync(Samples.Failed(lease.Id));
        var until = (await FindAsync(lease.Id)).GraceUntil;
        Assert.Equal(Now.AddSeconds(600), until);
        Time.Advance(TimeSpan.FromSeconds(1));
        await CommitAsync(Samples.AccessorRevoked(lease.Id));
        await CommitAsync(Samples.AbsenceAwaited(lease.Id));
        var awaited = await FindAsync(lease.Id);
        Assert.Equal(
            (LeaseState.Revoking, until, Now.AddSeconds(300)),
            (awaited.State, awaited.GraceUntil, awaited.NextAttemptAt)
        );
    }

    [Fact]
    public async Task A_lease_without_reach_ends_in_one_commit()
    {
        var lease = await ActiveLeaseAsync();
        Time.Advance(TimeSpan.FromSeconds(1));
        await CommitAsync(StoreSamples.Ended(lease.Id, "order-1"));
        AssertEqual(
            lease with
            {
                State = LeaseState.Ended,
                Cause = RevocationCause.Released,
                RequestedBy = "agent",
                RevocationId = "order-1",
                RevocationRequestedAt = Now,
                ConfirmedAt = Now,
            },
            await FindAsync(lease.Id)
        );
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Ended(lease.Id));
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Ended(Samples.NewId()));
    }

    [Fact]
    public async Task Ending_what_is_being_revoked_keeps_its_cause()
    {
        var lease = await RevokingLeaseAsync();
        await CommitAsync(StoreSamples.Ended(lease.Id));
        var ended = await FindAsync(lease.Id);
        Assert.Equal(
            (RevocationCause.Admin, lease.RequestedBy, null),
            (ended.Cause!.Value, ended.RequestedBy, ended.ClaimedBy)
        );
    }

    [Fact]
    public async Task An_event_alone_is_recorded()
    {
        var committed = await CommitAsync(
            StoreSamples.Recorded(
                new()
                {
                    What = new OutcomeReported { Summary = "done" },
                    Actor = AuditActor.Broker("x"),
                    Reason = "succeeded",
                }
            )
        );
        Assert.Equal(committed.Event, Store.Position.AuditHead);
    }
}
