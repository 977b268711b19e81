using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    private static readonly ApprovalDemand AfterTen = StoreSamples.Demands[1] with
    {
        Escalation = new(TimeSpan.FromMinutes(10), [new Approver.Group("heads")]),
    };

    [Fact]
    public async Task That_more_people_are_asked_is_told_once_when_it_is_so()
    {
        var asked = await AskedAsync(Samples.Asked(demands: [AfterTen]));
        await AskedAsync(Samples.Asked(digest: "digest-2"));
        Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await Store.Approvals.FindEscalatedAsync(default));
        await AssertGuardAsync(GuardFailure.WrongState, Escalated(asked.Id, 0));

        Time.Advance(TimeSpan.FromMilliseconds(1));
        Reopen();
        var due = Assert.Single(await Store.Approvals.FindEscalatedAsync(default));
        Assert.Equal((asked.Id, asked.AskedAt.AddMinutes(10)), (due.Id, due.Escalates));
        var before = Store.Position.Approvals;
        await CommitAsync(Escalated(asked.Id, 0));
        await AssertGuardAsync(GuardFailure.WrongState, Escalated(asked.Id, 0));
        await AssertGuardAsync(GuardFailure.NotFound, Escalated(Samples.NewId(), 0));
        Assert.Empty(await Store.Approvals.FindEscalatedAsync(default));
        Assert.Equal(before + 1, Store.Position.Approvals);
        var (changed, _) = await Store.Approvals.ListChangedAsync(before, 10, default);
        Assert.Equal(
            (asked.Id, ApprovalState.Pending, null),
            (Assert.Single(changed).Id, changed[0].State, changed[0].Escalates)
        );
        Assert.Single(
            await Store.Notifications.FindDueAsync(100, default),
            told => (told.ApprovalId, told.Kind) == (asked.Id, NotificationKind.Escalated)
        );
        Assert.Single(
            await ReadLogAsync(),
            record => AuditRecordHeader.Read(record.Bytes.Span)?.Type == ApprovalEscalated.TypeName
        );
    }

    [Fact]
    public async Task Each_demand_asks_more_people_at_its_own_time()
    {
        var asked = await AskedAsync(
            Samples.Asked(
                demands:
                [
                    StoreSamples.Demands[0] with
                    {
                        Escalation = new(TimeSpan.FromMinutes(20), [new Approver.Group("heads")]),
                    },
                    AfterTen,
                    AfterTen,
                ]
            )
        );
        Time.Advance(TimeSpan.FromMinutes(10));
        await AssertGuardAsync(GuardFailure.WrongState, Escalated(asked.Id, 1));
        await CommitAsync(Escalated(asked.Id, 1, 2));
        Assert.Equal(asked.AskedAt.AddMinutes(20), (await ApprovalAsync(asked.Id)).Escalates);
        Time.Advance(TimeSpan.FromMinutes(10));
        await AssertGuardAsync(GuardFailure.WrongState, Escalated(asked.Id, 0, 1, 2));
        await CommitAsync(Escalated(asked.Id, 0));
        Assert.Null((await ApprovalAsync(asked.Id)).Escalates);
    }

    [Fact]
    public async Task What_is_decided_or_over_asks_nobody_more()
    {
        var approved = await AskedAsync(Samples.Asked(demands: [AfterTen]));
        await CommitAsync(Samples.Agreed(approved.Id));
        var denied = await AskedAsync(Samples.Asked(demands: [AfterTen], digest: "digest-2"));
        await CommitAsync(StoreSamples.Refused(denied.Id));
        var late = await AskedAsync(Samples.Asked(demands: [AfterTen], digest: "digest-3"));
        Time.Advance(TimeSpan.FromMinutes(30));

        Assert.Empty(await Store.Approvals.FindEscalatedAsync(default));
        foreach (var asked in (Approval[])[approved, denied, late])
        {
            await AssertGuardAsync(GuardFailure.WrongState, Escalated(asked.Id, 0));
        }
    }

    /// <summary>By the time that has passed, and not by whether anything has run since.</summary>
    [Fact]
    public async Task Who_is_asked_later_agrees_from_then_on_and_not_before()
    {
        var asked = await AskedAsync(Samples.Asked(demands: [AfterTen]));
        var head = Samples.Agreed(asked.Id, "head-1") with { Escalated = [0] };
        Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        await AssertGuardAsync(GuardFailure.WrongState, head);
        Assert.Equal(ApprovalState.Pending, (await ApprovalAsync(asked.Id)).State);

        Time.Advance(TimeSpan.FromMilliseconds(1));
        await CommitAsync(head);
        Assert.Equal(ApprovalState.Approved, (await ApprovalAsync(asked.Id)).State);
        Assert.Empty(await Store.Approvals.FindEscalatedAsync(default));
    }

    private static StateChange.ApprovalEscalated Escalated(string approvalId, params int[] demands) =>
        new()
        {
            ApprovalId = approvalId,
            Demands = demands,
            Event = StoreSamples.Event(ApprovalEscalated.TypeName),
        };
}
