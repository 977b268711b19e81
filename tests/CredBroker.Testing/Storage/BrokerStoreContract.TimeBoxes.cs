using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_time_box_opens_with_the_redemption_and_is_found_over_a_restart()
    {
        var (approval, opened) = await BoxedAsync();
        Reopen();

        var found = await BoxAsync(approval.Id);
        Assert.Equal(
            ("box-1", Now, Now + TenMinutes, 1, null, ""),
            (found.Digest, found.OpenedAt, found.EndsAt, found.Uses, found.EndedAt, found.Cause)
        );
        Assert.Equal((approval.Id, TenMinutes), (found.Approval.Id, found.Approval.TimeBox));
        Assert.Equal(
            [approval.Id],
            (await Store.TimeBoxes.FindOpenAsync(approval.CallerKey, "box-1", default)).Select(box => box.Approval.Id)
        );
        Assert.Empty(await Store.TimeBoxes.FindOpenAsync(approval.CallerKey, "box-2", default));
        Assert.Empty(await Store.TimeBoxes.FindOpenAsync("another", "box-1", default));
        Assert.Equal([opened.Lease.Id], await Store.TimeBoxes.ListLeasesAsync(approval.Id, default));
        Assert.Equal(1, await ToldAsync(TimeBoxOpened.TypeName));
    }

    [Fact]
    public async Task Nobody_gives_a_time_box_that_is_not_offered()
    {
        var asked = await AskedAsync();
        await AssertGuardAsync(GuardFailure.WrongState, Given(asked, TenMinutes));
        var offered = await AskedAsync(Offered("digest-2"));
        await AssertGuardAsync(GuardFailure.WrongState, Given(offered, TimeSpan.FromMinutes(61)));
        await AssertGuardAsync(GuardFailure.WrongState, Given(offered, TimeSpan.Zero));
        await CommitAsync(Given(offered, TimeSpan.FromMinutes(60)));

        await CommitAsync(Samples.Agreed(asked.Id));
        await CommitAsync(Samples.Redeemed(asked));
        Assert.Null(await Store.TimeBoxes.FindAsync(asked.Id, default));
    }

    [Fact]
    public async Task Leases_open_in_it_until_its_end_and_each_is_counted()
    {
        var (approval, first) = await BoxedAsync();
        var second = InBox(approval);
        await CommitAsync(second);
        Time.Advance(TenMinutes - TimeSpan.FromMilliseconds(1));
        var third = InBox(approval);
        await CommitAsync(third);
        Time.Advance(TimeSpan.FromMilliseconds(1));
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, InBox(approval));

        Assert.Equal(3, (await BoxAsync(approval.Id)).Uses);
        Assert.Equal(
            [first.Lease.Id, second.Lease.Id, third.Lease.Id],
            await Store.TimeBoxes.ListLeasesAsync(approval.Id, default)
        );
        Assert.Equal(2, await ToldAsync(TimeBoxUsed.TypeName));
    }

    [Fact]
    public async Task What_is_more_than_was_given_does_not_open_in_it()
    {
        var (approval, _) = await BoxedAsync();
        var (decision, grant) = (approval.Decision, approval.Decision.Verdict.Grant!);
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, InBox(approval, digest: "box-2"));
        await AssertGuardAsync(
            GuardFailure.ApprovalNotUsable,
            InBox(approval, decision with { Request = decision.Request with { Actions = ["read", "count"] } })
        );
        await AssertGuardAsync(
            GuardFailure.ApprovalNotUsable,
            InBox(
                approval,
                decision with
                {
                    Verdict = decision.Verdict with
                    {
                        Grant = grant with { Ttl = grant.Ttl + TimeSpan.FromSeconds(1) },
                    },
                }
            )
        );
        // A reference is used up by one redemption, time box or not.
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, Samples.Redeemed(approval));
        // One that is not redeemed has none to open in.
        var unused = await AskedAsync(Offered("digest-2"));
        await CommitAsync(Given(unused, TenMinutes));
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, InBox(unused));
        Assert.Equal(1, (await BoxAsync(approval.Id)).Uses);
    }

    [Fact]
    public async Task What_reaches_it_ends_it_in_its_own_change()
    {
        var (held, _) = await BoxedAsync("digest-1");
        await CommitAsync(Samples.Held(new() { Agent = "triage" }, TimeSpan.FromMinutes(1)));
        await EndedAsync(held, "held");
        Time.Advance(TimeSpan.FromMinutes(2));
        await AssertGuardAsync(GuardFailure.ApprovalNotUsable, InBox(held));

        var (ordered, _) = await BoxedAsync("digest-2");
        await CommitAsync(Samples.Ordered(new() { Instance = "i-9" }));
        Assert.Null((await BoxAsync(ordered.Id)).EndedAt);
        await CommitAsync(Samples.Ordered(new() { Instance = "i-1" }));
        await EndedAsync(ordered, "revoked");

        var (leased, first) = await BoxedAsync("digest-3", fence: 2);
        await CommitAsync(Samples.Ordered(new() { Lease = first.Lease.Id }));
        await EndedAsync(leased, "revoked");

        var (closed, _) = await BoxedAsync("digest-4", fence: 3);
        await CommitAsync(Samples.Closed());
        await EndedAsync(closed, "task-closed");
        Assert.Equal(4, await ToldAsync(TimeBoxEnded.TypeName));
    }

    [Fact]
    public async Task A_new_epoch_ends_all_of_them()
    {
        var (approval, _) = await BoxedAsync();
        await CommitAsync(
            new StateChange.EpochOpened
            {
                Epoch = 2,
                Expected = 1,
                RequestedBy = "person:https://idp.example#admin",
                Event = StoreSamples.Event(),
            }
        );
        await EndedAsync(approval, "new-epoch");
        Assert.Equal(1, await ToldAsync(TimeBoxEnded.TypeName));
    }

    [Fact]
    public async Task It_is_ended_once_and_by_its_time_not_before()
    {
        var (approval, _) = await BoxedAsync();
        await AssertGuardAsync(GuardFailure.WrongState, EndOf(approval.Id, "expired", onlyIfOver: true));
        Assert.Empty(await Store.TimeBoxes.FindDueAsync(10, default));
        Time.Advance(TenMinutes);
        Assert.Equal([approval.Id], await Store.TimeBoxes.FindDueAsync(10, default));
        await CommitAsync(EndOf(approval.Id, "expired", onlyIfOver: true));
        await AssertGuardAsync(GuardFailure.WrongState, EndOf(approval.Id, "taken-back"));
        await AssertGuardAsync(GuardFailure.NotFound, EndOf(Samples.NewId(), "taken-back"));
        var ended = await BoxAsync(approval.Id);
        Assert.Equal(
            ("expired", Now, StoreSamples.Event().Actor.ToString()),
            (ended.Cause, ended.EndedAt, ended.EndedBy)
        );
        Assert.Empty(await Store.TimeBoxes.FindDueAsync(10, default));
    }

    [Fact]
    public async Task Of_an_end_and_uses_at_once_none_comes_after_the_end()
    {
        for (var round = 0; round < 10; round++)
        {
            var (approval, _) = await BoxedAsync($"digest-{round}");
            var uses = Enumerable
                .Range(0, 6)
                .Select(_ => Store.CommitAsync(InBox(approval), default).AsTask())
                .ToList();
            await CommitAsync(EndOf(approval.Id, "taken-back"));
            var after = await Store.CommitAsync(InBox(approval), default);
            var opened = (await Task.WhenAll(uses)).OfType<CommitOutcome.Committed>().Count();

            Assert.IsType<CommitOutcome.GuardFailed>(after);
            Assert.Equal(opened + 1, (await Store.TimeBoxes.ListLeasesAsync(approval.Id, default)).Count);
        }
    }

    [Fact]
    public async Task Open_ones_are_listed_in_pages_oldest_first()
    {
        var all = new List<string>();
        for (var number = 0; number < 5; number++)
        {
            all.Add((await BoxedAsync($"digest-{number}")).Approval.Id);
        }

        await CommitAsync(EndOf(all[1], "taken-back"));
        var (first, next) = await Store.TimeBoxes.ListOpenAsync(0, 3, default);
        Assert.Equal([all[0], all[2], all[3]], first.Select(box => box.Approval.Id));
        var (rest, end) = await Store.TimeBoxes.ListOpenAsync(next!.Value, 3, default);
        Assert.Equal([all[4]], rest.Select(box => box.Approval.Id));
        Assert.Null(end);
    }

    [Fact]
    public async Task What_ended_long_ago_leaves_the_store_with_what_it_was_used_for()
    {
        var (gone, _) = await BoxedAsync();
        await CommitAsync(EndOf(gone.Id, "taken-back"));
        Time.Advance(TimeSpan.FromDays(1));
        var (open, _) = await BoxedAsync("digest-2");
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
        Assert.Null(await Store.TimeBoxes.FindAsync(gone.Id, default));
        Assert.Empty(await Store.TimeBoxes.ListLeasesAsync(gone.Id, default));
        Assert.Single(await Store.TimeBoxes.ListLeasesAsync(open.Id, default));
    }

    private async Task<(Approval Approval, StateChange.LeaseOpened Opened)> BoxedAsync(
        string digest = "digest-1",
        long fence = 0
    )
    {
        var asked = await AskedAsync(Offered(digest, fence));
        await CommitAsync(Given(asked, TenMinutes));
        var opened = Samples.Redeemed(asked);
        await CommitAsync(opened);
        return (asked, opened);
    }

    private StateChange.ApprovalRequested Offered(string digest, long fence = 0) =>
        Samples.Asked(
            demands: [StoreSamples.Demands[1] with { TimeBox = TimeSpan.FromHours(1) }],
            digest: digest,
            fence: fence
        );

    private StateChange.ApprovalAgreed Given(Approval asked, TimeSpan timeBox)
    {
        var agreed = Samples.Agreed(asked.Id, digest: asked.Digest);
        return agreed with { Agreement = agreed.Agreement with { TimeBox = timeBox } };
    }

    private StateChange.LeaseOpened InBox(Approval approval, DecisionRecord? decision = null, string digest = "box-1")
    {
        var granted = decision ?? approval.Decision;
        var opened = Samples.Redeemed(
            approval,
            lease: Samples.Lease(
                granted with
                {
                    Id = Samples.NewId(),
                    Verdict = granted.Verdict with { Effect = PolicyEffect.Allow },
                }
            )
        );
        return opened with
        {
            Reservations = opened.Reservations with
            {
                Approval = new(approval.Id, approval.Digest, digest) { IsInTimeBox = true },
            },
        };
    }

    private static StateChange.TimeBoxEnded EndOf(string approvalId, string cause, bool onlyIfOver = false) =>
        new()
        {
            ApprovalId = approvalId,
            Cause = cause,
            OnlyIfOver = onlyIfOver,
            Event = StoreSamples.Event(),
        };

    private async Task EndedAsync(Approval approval, string cause)
    {
        var ended = await BoxAsync(approval.Id);
        Assert.Equal((cause, Now), (ended.Cause, ended.EndedAt));
    }

    private async Task<TimeBox> BoxAsync(string approvalId) =>
        Assert.IsType<TimeBox>(await Store.TimeBoxes.FindAsync(approvalId, default));

    private async Task<int> ToldAsync(string type) =>
        (await ReadLogAsync()).Count(record => AuditRecordHeader.Read(record.Bytes.Span)?.Type == type);
}
