using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task A_question_is_found_as_it_was_asked_over_a_restart()
    {
        var asked = await AskedAsync(Samples.Asked(demands: StoreSamples.Demands));
        Reopen();

        var found = await ApprovalAsync(asked.Id);
        Assert.Equal(ApprovalState.Pending, found.State);
        Assert.Equal(
            (asked.Digest, asked.CallerKey, asked.Fence, asked.AskedAt, asked.ExpiresAt),
            (found.Digest, found.CallerKey, found.Fence, found.AskedAt, found.ExpiresAt)
        );
        Assert.Equal(asked.Decision.Id, found.Decision.Id);
        Assert.Equal(asked.Demands.Select(d => d.RuleId), found.Demands.Select(d => d.RuleId));
        Assert.Equal(asked.Demands[0].Approvers, found.Demands[0].Approvers);
        Assert.Equal(asked.Demands[1].Approvers, found.Demands[1].Approvers);
        Assert.Equal(asked.Demands[0].Show, found.Demands[0].Show);
        Assert.Equal([asked.Id], (await Store.Approvals.ListOpenAsync(default)).Select(open => open.Id));
        Assert.Equal(asked.Id, (await Store.Approvals.FindOpenAsync(asked.CallerKey, asked.Digest, default))?.Id);
        Assert.Null(await Store.Approvals.FindOpenAsync("another", asked.Digest, default));
        Assert.Null(await Store.Approvals.FindAsync(Samples.NewId(), default));
    }

    [Fact]
    public async Task Nobody_is_asked_for_what_would_be_refused()
    {
        await AssertGuardAsync(GuardFailure.StoreReopened, Samples.Asked(opening: Store.Position.Opening + 1));
        await AssertGuardAsync(GuardFailure.PolicyChanged, Samples.Asked(Samples.Decision(policyVersion: 7)));
        await CommitAsync(Samples.Ordered(new() { Agent = "triage" }));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Asked(fence: 0));
        await CommitAsync(Samples.Held(new() { Credential = "held" }));
        await AssertGuardAsync(GuardFailure.Held, Samples.Asked(Samples.Decision(credential: "held"), fence: 1));
        await AskedAsync(Samples.Asked(fence: 1));
        await AssertGuardAsync(
            GuardFailure.TaskOwnedByAnother,
            Samples.Asked(digest: "digest-2", fence: 1, owner: StoreSamples.Owner with { Workload = "other" })
        );
        await CommitAsync(Samples.Closed());
        await AssertGuardAsync(GuardFailure.TaskClosed, Samples.Asked(digest: "digest-2", fence: 2));
    }

    [Fact]
    public async Task The_same_is_asked_once_at_a_time_by_one_caller()
    {
        var asked = await AskedAsync();
        await AssertGuardAsync(GuardFailure.AlreadyAsked, Samples.Asked());
        await AskedAsync(Samples.Asked(digest: "digest-2"));
        await AskedAsync(Samples.Asked(Samples.Decision(instance: "i-2")));

        await CommitAsync(Samples.Agreed(asked.Id));
        await AssertGuardAsync(GuardFailure.AlreadyAsked, Samples.Asked());
        await CommitAsync(StoreSamples.Refused(asked.Id));
        await AskedAsync();
    }

    [Fact]
    public async Task One_caller_has_so_many_open_questions_and_no_more()
    {
        var asked = new List<Approval>();
        for (var number = 0; number < Approval.MaxOpenPerCaller; number++)
        {
            asked.Add(await AskedAsync(Samples.Asked(digest: $"digest-{number}")));
        }

        await AssertGuardAsync(GuardFailure.TooManyApprovals, Samples.Asked(digest: "one more"));
        await AskedAsync(Samples.Asked(Samples.Decision(instance: "i-2")));
        await CommitAsync(StoreSamples.Refused(asked[3].Id));
        await AskedAsync(Samples.Asked(digest: "one more"));
        await AssertGuardAsync(GuardFailure.TooManyApprovals, Samples.Asked(digest: "two more"));
    }

    [Fact]
    public async Task One_workload_has_so_many_open_questions_however_many_instances_it_has()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, Approval.MaxOpenPerWorkload)
                .Select(number => CommitAsync(Samples.Asked(Samples.Decision(instance: $"i-{number}"))))
        );
        await AssertGuardAsync(GuardFailure.TooManyApprovals, Samples.Asked(Samples.Decision(instance: "one more")));
        await AskedAsync(
            Samples.Asked(
                Samples.Decision(instance: "another's", task: "t-2"),
                owner: StoreSamples.Owner with
                {
                    Workload = "another",
                }
            )
        );
    }

    [Fact]
    public async Task It_is_approved_by_the_last_one_who_had_to_agree_and_not_before()
    {
        var asked = await AskedAsync(Samples.Asked(demands: StoreSamples.Demands));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id, "lead-1", completes: true));
        await CommitAsync(Samples.Agreed(asked.Id, "lead-1", completes: false));
        await CommitAsync(Samples.Agreed(asked.Id, "owner-1", 1, completes: false, demands: 1));
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, Samples.Redeemed(asked));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id, "lead-2", 2, completes: false));
        Time.Advance(TimeSpan.FromMinutes(1));
        await CommitAsync(Samples.Agreed(asked.Id, "lead-2", 2));

        var approved = await ApprovalAsync(asked.Id);
        Assert.Equal((ApprovalState.Approved, Now), (approved.State, approved.ApprovedAt));
        Assert.Equal(["lead-1", "owner-1", "lead-2"], approved.Agreements.Select(agreement => agreement.Subject));
        Assert.Equal(Now, approved.Agreements[2].At);
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id, "lead-3", 3));
    }

    [Fact]
    public async Task One_person_does_not_make_a_quorum()
    {
        var asked = await AskedAsync(Samples.Asked(demands: [StoreSamples.Demands[0]]));
        await CommitAsync(Samples.Agreed(asked.Id, "lead-1", completes: false));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id, "lead-1", 1, completes: true));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id, "lead-1", 1, completes: false));
        Assert.Equal(ApprovalState.Pending, (await ApprovalAsync(asked.Id)).State);
    }

    [Fact]
    public async Task Of_two_who_agree_at_once_the_second_looks_again()
    {
        for (var round = 0; round < 20; round++)
        {
            var asked = await AskedAsync(Samples.Asked(demands: [StoreSamples.Demands[0]], digest: $"digest-{round}"));
            // Both saw that nobody had agreed yet.
            var outcomes = await Task.WhenAll(
                Agree("lead-1", 0, completes: false),
                Agree("lead-2", 0, completes: false)
            );
            Assert.Single(outcomes.OfType<CommitOutcome.Committed>());
            Assert.Single(outcomes, new CommitOutcome.GuardFailed(GuardFailure.WrongState));
            var first = Assert.Single((await ApprovalAsync(asked.Id)).Agreements);
            await CommitAsync(
                Samples.Agreed(asked.Id, first.Subject == "lead-1" ? "lead-2" : "lead-1", 1, digest: $"digest-{round}")
            );
            Assert.Equal(ApprovalState.Approved, (await ApprovalAsync(asked.Id)).State);
            await CommitAsync(StoreSamples.Refused(asked.Id));

            Task<CommitOutcome> Agree(string person, int expected, bool completes) =>
                Store
                    .CommitAsync(
                        Samples.Agreed(asked.Id, person, expected, completes, digest: $"digest-{round}"),
                        default
                    )
                    .AsTask();
        }
    }

    [Fact]
    public async Task Who_saw_something_else_does_not_agree()
    {
        var asked = await AskedAsync();
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id, digest: "digest-2"));
        await AssertGuardAsync(GuardFailure.NotFound, Samples.Agreed(Samples.NewId()));
    }

    [Fact]
    public async Task After_its_time_nobody_agrees_denies_or_redeems()
    {
        var pending = await AskedAsync();
        var approved = await AskedAsync(Samples.Asked(digest: "digest-2"));
        await CommitAsync(Samples.Agreed(approved.Id, digest: "digest-2"));
        Time.Advance(TimeSpan.FromMinutes(30) - TimeSpan.FromMilliseconds(1));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Lapsed(pending.Id));
        Assert.Empty(await Store.Approvals.FindDueAsync(10, default));

        Time.Advance(TimeSpan.FromMilliseconds(1));
        await AssertGuardAsync(GuardFailure.DeadlinePassed, Samples.Agreed(pending.Id));
        await AssertGuardAsync(GuardFailure.DeadlinePassed, StoreSamples.Refused(pending.Id));
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, Samples.Redeemed(approved));
        Assert.Equal([pending.Id, approved.Id], (await Store.Approvals.FindDueAsync(10, default)).Order());
        await CommitAsync(StoreSamples.Lapsed(pending.Id));
        await CommitAsync(StoreSamples.Lapsed(approved.Id));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Lapsed(approved.Id));
        Assert.Equal(ApprovalState.Expired, (await ApprovalAsync(approved.Id)).State);
        Assert.Empty(await Store.Approvals.ListOpenAsync(default));
        Assert.Empty(await Store.Approvals.FindDueAsync(10, default));
    }

    [Fact]
    public async Task What_is_denied_stays_denied()
    {
        var asked = await AskedAsync();
        await CommitAsync(StoreSamples.Refused(asked.Id));
        var denied = await ApprovalAsync(asked.Id);
        Assert.Equal(
            (ApprovalState.Denied, "not today", "person:https://idp.example#owner-1", Now),
            (denied.State, denied.Reason, denied.ClosedBy, denied.ClosedAt)
        );
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Refused(asked.Id));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Voided(asked.Id));
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, Samples.Redeemed(asked));
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Refused(Samples.NewId()));
    }

    [Fact]
    public async Task An_approval_opens_one_lease_and_no_second()
    {
        var approved = await ApprovedAsync();
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, Samples.Redeemed(approved, "digest-2"));
        var opened = Samples.Redeemed(approved);
        await CommitAsync(opened);
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, Samples.Redeemed(approved));

        var redeemed = await ApprovalAsync(approved.Id);
        Assert.Equal((ApprovalState.Redeemed, opened.Lease.Id), (redeemed.State, redeemed.LeaseId));
        var told = Assert.Single(
            await ReadLogAsync(),
            record => AuditRecordHeader.Read(record.Bytes.Span)?.Type == ApprovalRedeemed.TypeName
        );
        Assert.Contains(approved.Id, System.Text.Encoding.UTF8.GetString(told.Bytes.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_holder_says_it_did_is_kept_the_newest_word_and_of_its_own_lease()
    {
        var approved = await ApprovedAsync();
        var opened = Samples.Redeemed(approved);
        await CommitAsync(opened);
        Assert.Null((await ApprovalAsync(approved.Id)).Outcome);

        await CommitAsync(StoreSamples.Reported(approved.Id, opened.Lease.Id, "failed"));
        await CommitAsync(StoreSamples.Reported(approved.Id, opened.Lease.Id));
        await CommitAsync(StoreSamples.Reported(approved.Id, Samples.NewId(), "abandoned"));
        await CommitAsync(StoreSamples.Reported(Samples.NewId(), opened.Lease.Id, "abandoned"));

        var kept = await ApprovalAsync(approved.Id);
        Assert.Equal(
            new()
            {
                Status = "succeeded",
                Summary = "one invoice \"7\"",
                IsAsDeclared = true,
                At = Now,
            },
            kept.Outcome
        );
        Assert.Equal((ApprovalState.Redeemed, opened.Lease.Id), (kept.State, kept.LeaseId));
        Assert.Equal(
            4,
            (await ReadLogAsync()).Count(record =>
                AuditRecordHeader.Read(record.Bytes.Span)?.Type == OutcomeReported.TypeName
            )
        );
    }

    [Fact]
    public async Task What_is_approved_and_not_redeemed_is_listed_oldest_first()
    {
        await AskedAsync();
        var (one, two) = (await ApprovedAsync("digest-2"), await ApprovedAsync("digest-3"));
        var redeemed = await ApprovedAsync("digest-4");
        await CommitAsync(Samples.Redeemed(redeemed));

        var listed = await Store.Approvals.ListApprovedAsync(default);

        Assert.Equal([one.Id, two.Id], listed.Select(approval => approval.Id));
    }

    [Fact]
    public async Task Of_many_who_redeem_at_once_one_does()
    {
        for (var round = 0; round < 20; round++)
        {
            var approved = await ApprovedAsync($"digest-{round}");
            var outcomes = await Task.WhenAll(
                Enumerable.Range(0, 8).Select(_ => Store.CommitAsync(Samples.Redeemed(approved), default).AsTask())
            );
            Assert.Single(outcomes.OfType<CommitOutcome.Committed>());
        }
    }

    [Fact]
    public async Task A_lease_that_does_not_open_uses_nothing_up()
    {
        var approved = await ApprovedAsync();
        await CommitAsync(Samples.Held(new() { Agent = "triage" }, TimeSpan.FromMinutes(5)));
        await AssertGuardAsync(GuardFailure.Held, Samples.Redeemed(approved));
        Assert.Equal(ApprovalState.Approved, (await ApprovalAsync(approved.Id)).State);
        Time.Advance(TimeSpan.FromMinutes(5));
        await CommitAsync(Samples.Redeemed(approved));
    }

    [Fact]
    public async Task An_order_takes_back_what_was_asked_before_it()
    {
        var (pending, approved) = (await AskedAsync(), await ApprovedAsync("digest-2"));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Voided(pending.Id, onlyIfFenced: true));
        await CommitAsync(Samples.Ordered(new() { Instance = "i-1" }));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Agreed(pending.Id));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Redeemed(approved));
        await CommitAsync(StoreSamples.Voided(pending.Id, onlyIfFenced: true));
        var voided = await ApprovalAsync(pending.Id);
        Assert.Equal((ApprovalState.Voided, "policy-change"), (voided.State, voided.Reason));
    }

    [Fact]
    public async Task A_new_epoch_takes_back_every_open_question()
    {
        var (pending, approved) = (await AskedAsync(), await ApprovedAsync("digest-2"));
        var denied = await AskedAsync(Samples.Asked(digest: "digest-3"));
        await CommitAsync(StoreSamples.Refused(denied.Id));
        await CommitAsync(
            new StateChange.EpochOpened
            {
                Epoch = 2,
                Expected = 1,
                RequestedBy = "person:https://idp.example#admin",
                Event = StoreSamples.Event(),
            }
        );

        Assert.Equal(ApprovalState.Voided, (await ApprovalAsync(pending.Id)).State);
        Assert.Equal(
            (ApprovalState.Voided, "new-epoch"),
            ((await ApprovalAsync(approved.Id)).State, (await ApprovalAsync(approved.Id)).Reason)
        );
        Assert.Equal(ApprovalState.Denied, (await ApprovalAsync(denied.Id)).State);
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, Samples.Redeemed(approved));
        Assert.Equal(
            2,
            (await ReadLogAsync()).Count(record =>
                AuditRecordHeader.Read(record.Bytes.Span)?.Type == ApprovalVoided.TypeName
            )
        );
    }

    [Fact]
    public async Task Each_word_on_a_question_gives_the_position_another_number()
    {
        var numbers = new List<long> { Store.Position.Approvals };
        var asked = await AskedAsync();
        numbers.Add(Store.Position.Approvals);
        await AssertGuardAsync(GuardFailure.AlreadyAsked, Samples.Asked());
        await CommitAsync(Samples.Agreed(asked.Id));
        numbers.Add(Store.Position.Approvals);
        await CommitAsync(Samples.Redeemed(asked));
        numbers.Add(Store.Position.Approvals);
        Assert.Equal([0, 1, 2, 3], numbers);
        Reopen();
        Assert.Equal(3, Store.Position.Approvals);
    }

    [Fact]
    public async Task What_was_changed_is_found_after_a_number_in_the_order_of_the_changes()
    {
        var one = await AskedAsync();
        var other = await AskedAsync(Samples.Asked(digest: "digest-2"));
        await CommitAsync(Samples.Agreed(one.Id));

        var (all, last) = await Store.Approvals.ListChangedAsync(0, 10, default);
        Assert.Equal([(other.Id, 2), (one.Id, 3)], all.Select(changed => (changed.Id, changed.Change)));
        Assert.Equal((3, Store.Position.Approvals), (last, last));
        var (first, next) = await Store.Approvals.ListChangedAsync(0, 1, default);
        Assert.Equal((other.Id, 2), (Assert.Single(first).Id, next));
        var (rest, _) = await Store.Approvals.ListChangedAsync(next, 10, default);
        Assert.Equal(one.Id, Assert.Single(rest).Id);
        var (none, end) = await Store.Approvals.ListChangedAsync(3, 10, default);
        Assert.Empty(none);
        Assert.Equal(3, end);
    }

    [Fact]
    public async Task What_was_closed_long_ago_leaves_the_store_and_nothing_else_does()
    {
        var denied = await AskedAsync();
        await CommitAsync(StoreSamples.Refused(denied.Id));
        var open = await AskedAsync(Samples.Asked(digest: "digest-2"));
        Time.Advance(TimeSpan.FromDays(1));
        var later = await AskedAsync(Samples.Asked(digest: "digest-3"));
        await CommitAsync(StoreSamples.Refused(later.Id));
        await CommitAsync(
            new StateChange.All([
                new StateChange.ApprovalsDropped
                {
                    ClosedBefore = Now,
                    Limit = 10,
                    Event = null,
                },
            ])
        );

        Assert.Null(await Store.Approvals.FindAsync(denied.Id, default));
        Assert.NotNull(await Store.Approvals.FindAsync(open.Id, default));
        Assert.NotNull(await Store.Approvals.FindAsync(later.Id, default));
    }

    private async Task<Approval> ApprovalAsync(string id) =>
        Assert.IsType<Approval>(await Store.Approvals.FindAsync(id, default));

    private async Task<Approval> AskedAsync(StateChange.ApprovalRequested? asked = null)
    {
        asked ??= Samples.Asked();
        await CommitAsync(asked);
        return asked.Approval;
    }

    private async Task<Approval> ApprovedAsync(string digest = "digest-1")
    {
        var asked = await AskedAsync(Samples.Asked(digest: digest));
        await CommitAsync(Samples.Agreed(asked.Id, digest: digest));
        return asked;
    }
}
