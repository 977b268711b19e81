using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Notifications;

namespace CredBroker.Storage.Sql.Approvals;

internal static partial class SqlApprovalStore
{
    /// <summary>More people are asked: it is told once for each moment.</summary>
    public static ChangeResult Escalate(SqlSession session, StateChange.ApprovalEscalated change)
    {
        if (Find(session, change.ApprovalId) is not { } approval)
        {
            return GuardFailure.NotFound;
        }

        var now = ColumnValue.Time(session.CountedColumn);
        if (
            approval.State != ApprovalState.Pending
            || approval.ExpiresAt <= now
            || change.Demands.Count == 0
            || !approval.DueFor(now).SequenceEqual(change.Demands)
        )
        {
            return GuardFailure.WrongState;
        }

        session.Execute(
            "UPDATE approval SET change = @change, escalates_at = @next WHERE id = @id",
            ("@id", approval.Id),
            ("@change", NextChange(session)),
            ("@next", ColumnValue.From(approval.NextEscalation(now)))
        );
        SqlNotificationStore.Add(session, approval.Id, NotificationKind.Escalated);
        return ChangeResult.Done;
    }
}
