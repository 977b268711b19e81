using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Access;
using CredBroker.Storage.Sql.Activity;
using CredBroker.Storage.Sql.Approvals;
using CredBroker.Storage.Sql.Audit;
using CredBroker.Storage.Sql.Epochs;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Idempotency;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Limits;
using CredBroker.Storage.Sql.Notifications;
using CredBroker.Storage.Sql.Owners;
using CredBroker.Storage.Sql.Policies;
using CredBroker.Storage.Sql.Revocations;
using CredBroker.Storage.Sql.Tasks;
using CredBroker.Storage.Sql.Vault;

namespace CredBroker.Storage.Sql;

/// <summary>Which statements carry out which change.</summary>
internal static class SqlTransitions
{
    /// <summary>Says what the change's guard will read first.</summary>
    public static void Foresee(SqlSession session, StateChange.Transition transition)
    {
        switch (transition)
        {
            case StateChange.LeaseOpened change:
                SqlTaskStore.Foresee(session, change.Lease.Decision.Task);
                SqlIdempotencyStore.Foresee(session, change.Reservations.Idempotency);
                SqlLimitStore.Foresee(session, change.Reservations.Limits);
                break;
            case StateChange.DenialCounted change:
                SqlLimitStore.ForeseeDenial(session, change.Limits);
                break;
            case StateChange.LeaseActivated change:
                SqlLeaseStore.Foresee(session, change);
                break;
            case StateChange.RevocationClaimed change:
                SqlRevocationStore.Foresee(session, change.LeaseId);
                break;
        }
    }

    /// <summary>Checks the change's guard and makes it, within the open transaction.</summary>
    public static ChangeResult Apply(SqlSession session, in PreparedChange prepared) =>
        prepared.Change switch
        {
            StateChange.LeaseOpened change => SqlLeaseStore.Open(session, change),
            StateChange.LeaseActivated change => SqlLeaseStore.Activate(session, change),
            StateChange.HandlesRecorded change => SqlLeaseStore.RecordHandles(session, change),
            StateChange.LateLeaseOpened change => SqlLeaseStore.OpenLate(session, change),
            StateChange.LeaseRenewed change => SqlLeaseStore.Renew(session, change),
            StateChange.RevocationClaimed change => SqlRevocationStore.Claim(session, change),
            StateChange.AccessorRevoked change => SqlRevocationStore.RecordAccessor(session, change),
            StateChange.AbsenceAwaited change => SqlRevocationStore.AwaitEnd(session, change),
            StateChange.LeaseRevoked change => SqlRevocationStore.Confirm(session, change),
            StateChange.RevocationFailed change => SqlRevocationStore.Fail(session, change),
            StateChange.LeaseEnded change => SqlRevocationStore.End(session, change),
            StateChange.RevocationOrdered change => SqlOrderStore.Insert(session, change),
            StateChange.RevocationEnumerated change => SqlOrderStore.Enumerated(session, change),
            StateChange.HoldPlaced change => SqlHoldStore.Place(session, change),
            StateChange.HoldLifted change => SqlHoldStore.Lift(session, change),
            StateChange.ApprovalRequested change => SqlApprovalStore.Ask(session, change),
            StateChange.ApprovalAgreed change => SqlApprovalStore.Agree(session, change),
            StateChange.ApprovalEscalated change => SqlApprovalStore.Escalate(session, change),
            StateChange.ApprovalDenied change => SqlApprovalStore.Deny(session, change),
            StateChange.ApprovalExpired change => SqlApprovalStore.Expire(session, change),
            StateChange.ApprovalVoided change => SqlApprovalStore.Void(session, change),
            StateChange.OutcomeReported change => SqlApprovalStore.Report(session, change),
            StateChange.ApprovalsDropped change => SqlApprovalStore.Drop(session, change),
            StateChange.TimeBoxEnded change => SqlTimeBoxStore.End(session, change),
            StateChange.DenialCounted change => SqlLimitStore.Count(session, change.Limits),
            StateChange.ActivityDropped change => SqlActivityStore.Drop(session, change),
            StateChange.NotificationTaken change => SqlNotificationStore.Take(session, change),
            StateChange.NotificationSettled change => SqlNotificationStore.Settle(session, change),
            StateChange.NotificationsDropped change => SqlNotificationStore.Drop(session, change),
            StateChange.EvaluationNoted change => SqlEvaluationStore.Note(session, change),
            StateChange.EvaluationUsed change => SqlEvaluationStore.Use(session, change),
            StateChange.OwnerRetired change => SqlOwnerStore.Retire(session, change),
            StateChange.OwnerReinstated change => SqlOwnerStore.Reinstate(session, change),
            StateChange.TaskClosed change => SqlTaskStore.Close(session, change),
            StateChange.TaskBarred change => SqlTaskStore.Bar(session, change),
            StateChange.PolicyApplied change => SqlPolicyStore.Apply(session, change),
            StateChange.AuditArchived change => SqlArchiveStore.Archive(session, change),
            StateChange.ArchivedDeleted change => SqlArchiveStore.Delete(session, change),
            StateChange.VaultClusterAccepted change => SqlVaultClusterStore.Accept(session, change),
            StateChange.EpochOpened change => SqlEpochStore.Open(session, change),
            StateChange.AnchorWritten change => SqlEpochStore.Anchored(session, change),
            StateChange.ClockRepaired change => RepairClock(session, change),
            // What it was decided from stands in the event, once: anybody can be denied as often as they like.
            StateChange.RequestDenied change => SqlActivityStore.CountRefused(session, change.Decision),
            StateChange.EventRecorded => ChangeResult.Done,
            _ => throw new NotSupportedException(
                $"The store does not know the change {prepared.Change.GetType().Name}."
            ),
        };

    /// <summary>How long a time box has been open by a clock that was wrong, nobody knows: all of them end.</summary>
    private static ChangeResult RepairClock(SqlSession session, StateChange.ClockRepaired change)
    {
        SqlTimeBoxStore.EndAll(session, "clock-repaired", change.Event!);
        return session.RepairClock();
    }
}
