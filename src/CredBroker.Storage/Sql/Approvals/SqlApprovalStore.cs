using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Access;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Notifications;
using CredBroker.Storage.Sql.Owners;
using CredBroker.Storage.Sql.Revocations;
using CredBroker.Storage.Sql.Tasks;

namespace CredBroker.Storage.Sql.Approvals;

/// <summary>
/// Questions to people: asked, agreed to, closed. Each change is guarded by the row's state, and its times by the count
/// of what has passed: a clock that falls back keeps no question open.
/// </summary>
internal static partial class SqlApprovalStore
{
    /// <summary>Asks.</summary>
    public static ChangeResult Ask(SqlSession session, StateChange.ApprovalRequested change)
    {
        var (approval, decision) = (change.Approval, change.Approval.Decision);
        if (change.Opening != session.Head.Opening)
        {
            return GuardFailure.StoreReopened;
        }

        if (decision.PolicyVersion != session.Head.PolicyVersion || SqlOwnerStore.IsStale(session, decision))
        {
            return GuardFailure.PolicyChanged;
        }

        if (SqlTaskStore.FindRefusal(session, decision.Task, change.TaskOwner) is { } notYours)
        {
            return notYours;
        }

        if (Reached(session, decision, approval.Fence) is { } reached)
        {
            return reached;
        }

        var workload = WorkloadKey(change.TaskOwner);
        if (
            session.ReadFirst(
                "SELECT id FROM approval WHERE caller_key = @caller AND digest = @digest AND closed_at IS NULL",
                row => row.Text(0),
                ("@caller", approval.CallerKey),
                ("@digest", approval.Digest)
            )
            is not null
        )
        {
            return GuardFailure.AlreadyAsked;
        }

        var open = session.ReadFirst(
            """
            SELECT (SELECT count(*) FROM approval WHERE closed_at IS NULL AND caller_key = @caller),
              (SELECT count(*) FROM approval WHERE closed_at IS NULL AND workload_key = @workload),
              (SELECT count(*) FROM approval WHERE closed_at IS NULL)
            """,
            row => (OfCaller: row.Number(0), OfWorkload: row.Number(1), OfAll: row.Number(2)),
            ("@caller", approval.CallerKey),
            ("@workload", workload)
        );
        if (
            open.OfCaller >= Approval.MaxOpenPerCaller
            || open.OfWorkload >= Approval.MaxOpenPerWorkload
            || open.OfAll >= Approval.MaxOpen
        )
        {
            return GuardFailure.TooManyApprovals;
        }

        SqlTaskStore.Join(session, decision.Task, change.TaskOwner);
        session.Execute(
            """
            INSERT INTO approval (
              id, change, state, decision, digest, caller_key, workload_key, fence, asked_at, expires_at, escalates_at)
            VALUES (
              @id, @change, 'pending', @decision, @digest, @caller, @workload, @fence, @counted, @expires, @escalates)
            """,
            ("@id", approval.Id),
            ("@change", NextChange(session)),
            ("@decision", JsonSerializer.Serialize(decision, StateJson.Default.DecisionRecord)),
            ("@digest", approval.Digest),
            ("@caller", approval.CallerKey),
            ("@workload", workload),
            ("@fence", approval.Fence),
            ("@counted", session.CountedColumn),
            ("@expires", ColumnValue.From(approval.ExpiresAt)),
            // From when it is on record, as all of its times are.
            (
                "@escalates",
                ColumnValue.From(
                    (approval with { AskedAt = ColumnValue.Time(session.CountedColumn) }).NextEscalation(default)
                )
            )
        );
        SqlNotificationStore.Add(session, approval.Id, NotificationKind.Asked);
        return ChangeResult.Done;
    }

    /// <summary>Adds a person's yes.</summary>
    public static ChangeResult Agree(SqlSession session, StateChange.ApprovalAgreed change)
    {
        if (Find(session, change.ApprovalId) is not { } approval)
        {
            return GuardFailure.NotFound;
        }

        var said = change.Agreement;
        if (
            approval.State != ApprovalState.Pending
            || approval.Digest != change.Digest
            || approval.Agreements.Count != change.Expected
            || approval.Agreements.Any(other => (other.Issuer, other.Subject) == (said.Issuer, said.Subject))
        )
        {
            return GuardFailure.WrongState;
        }

        // Nobody gives more than is offered.
        if (said.TimeBox is { } timeBox && !(timeBox > TimeSpan.Zero && timeBox <= approval.TimeBoxOffered))
        {
            return GuardFailure.WrongState;
        }

        if (SqlOwnerStore.IsRetired(session, said.Issuer, said.Subject))
        {
            return GuardFailure.OwnerGone;
        }

        if (ColumnValue.From(approval.ExpiresAt) <= session.CountedColumn)
        {
            return GuardFailure.DeadlinePassed;
        }

        if (change.Escalated.Any(demand => !approval.IsEscalated(demand, ColumnValue.Time(session.CountedColumn))))
        {
            return GuardFailure.WrongState;
        }

        if (Reached(session, approval.Decision, approval.Fence) is { } reached)
        {
            return reached;
        }

        var agreed = approval with { Agreements = [.. approval.Agreements, said with { At = session.Now }] };
        if (agreed.IsMet != change.Completes)
        {
            return GuardFailure.WrongState;
        }

        session.Execute(
            """
            UPDATE approval SET change = @change, agreements = @agreements,
              state = CASE WHEN @complete = 1 THEN 'approved' ELSE state END,
              approved_at = CASE WHEN @complete = 1 THEN @now ELSE approved_at END
            WHERE id = @id
            """,
            ("@id", approval.Id),
            ("@change", NextChange(session)),
            ("@agreements", JsonSerializer.Serialize([.. agreed.Agreements], StateJson.Default.AgreementArray)),
            ("@complete", agreed.IsMet ? 1L : 0L),
            ("@now", session.NowColumn)
        );
        var by = change.Event!;
        SqlApproverStore.Said(session, said.Issuer, said.Subject, approval, change.WordAbout, by);
        if (agreed.IsMet)
        {
            SqlNotificationStore.Add(session, approval.Id, NotificationKind.Approved, by.Actor.ToString());
        }

        return ChangeResult.Done;
    }

    /// <summary>A person's no.</summary>
    public static ChangeResult Deny(SqlSession session, StateChange.ApprovalDenied change)
    {
        var approval = Find(session, change.ApprovalId);
        if (approval is { IsOpen: true } && ColumnValue.From(approval.ExpiresAt) <= session.CountedColumn)
        {
            return GuardFailure.DeadlinePassed;
        }

        var closed = Close(session, change.ApprovalId, ApprovalState.Denied, change.DeniedBy, change.Reason);
        if (closed.Failure is null && approval is not null)
        {
            var by = change.Event!;
            SqlApproverStore.Said(session, by.Actor.Issuer, by.Actor.Subject, approval, change.WordAbout, by);
        }

        return closed;
    }

    /// <summary>Its time is over.</summary>
    public static ChangeResult Expire(SqlSession session, StateChange.ApprovalExpired change) =>
        session.ReadFirst(
            "SELECT expires_at FROM approval WHERE id = @id",
            row => row.Number(0),
            ("@id", change.ApprovalId)
        ) > session.CountedColumn
            ? GuardFailure.WrongState
            : Close(session, change.ApprovalId, ApprovalState.Expired, change.Event!.Actor.ToString(), "");

    /// <summary>It is taken back.</summary>
    public static ChangeResult Void(SqlSession session, StateChange.ApprovalVoided change) =>
        (change.OnlyIfFenced || change.OnlyIfPending)
        && Find(session, change.ApprovalId) is { IsOpen: true } approval
        && (
            (change.OnlyIfFenced && !SqlOrderStore.IsFenced(session, approval.Decision, "", approval.Fence))
            || (
                change.OnlyIfPending
                && (
                    approval.State != ApprovalState.Pending
                    || ColumnValue.From(approval.ExpiresAt) <= session.CountedColumn
                )
            )
        )
            ? GuardFailure.WrongState
            : Close(session, change.ApprovalId, ApprovalState.Voided, change.Event!.Actor.ToString(), change.Cause);

    /// <summary>All that is open is taken back, and an event tells it of each.</summary>
    public static void VoidAll(SqlSession session, string cause, AuditEvent by)
    {
        foreach (
            var approvalId in session.ReadAll(
                "SELECT id FROM approval WHERE closed_at IS NULL ORDER BY number",
                row => row.Text(0)
            )
        )
        {
            Close(session, approvalId, ApprovalState.Voided, by.Actor.ToString(), cause);
            var decision = Find(session, approvalId)?.Decision;
            session.Tell(
                new()
                {
                    What = new ApprovalVoided { ApprovalId = approvalId },
                    Actor = by.Actor,
                    DecisionId = decision?.Id,
                    Process = decision?.Task.Process,
                    TaskId = decision?.Task.Id,
                    Credential = decision?.Request.Credential,
                    Holder = decision is null ? null : DecisionFacts.Holder(decision),
                    Reason = cause,
                    TraceId = by.TraceId,
                }
            );
        }
    }

    /// <summary>
    /// Uses the approval up for the lease that opens, or says why it cannot be. An order that came after it was asked counts,
    /// whether it reaches the one who asked or the one who redeems.
    /// </summary>
    public static GuardFailure? Use(SqlSession session, StateChange.LeaseOpened change)
    {
        if (change.Reservations.Approval is not { } use)
        {
            return null;
        }

        if (Find(session, use.ApprovalId) is not { } approval || approval.Digest != use.Digest)
        {
            return GuardFailure.ApprovalNotUsable;
        }

        if (use.IsInTimeBox)
        {
            return SqlTimeBoxStore.Use(session, change, approval);
        }

        if (
            approval is not { State: ApprovalState.Approved, IsMet: true }
            || ColumnValue.From(approval.ExpiresAt) <= session.CountedColumn
        )
        {
            return GuardFailure.ApprovalNotUsable;
        }

        if (Reached(session, approval.Decision, approval.Fence) is { } reached)
        {
            return reached;
        }

        if (SqlOrderStore.IsFenced(session, change.Lease, approval.Fence))
        {
            return GuardFailure.Revoked;
        }

        var by = change.Event!.Actor;
        Close(session, approval.Id, ApprovalState.Redeemed, by.ToString(), "", change.Lease.Id);
        session.Tell(
            change.Event with
            {
                What = new ApprovalRedeemed { ApprovalId = approval.Id, Digest = approval.Digest },
                Judgement = null,
            }
        );
        SqlTimeBoxStore.Open(session, change, approval);
        return null;
    }

    /// <summary>Keeps what the holder says it did.</summary>
    public static ChangeResult Report(SqlSession session, StateChange.OutcomeReported change)
    {
        if (
            session.Execute(
                "UPDATE approval SET change = @change, outcome = @outcome WHERE id = @id AND lease = @lease",
                ("@id", change.ApprovalId),
                ("@lease", change.LeaseId),
                ("@change", session.Head.Approvals + 1),
                (
                    "@outcome",
                    JsonSerializer.Serialize(
                        change.Outcome with
                        {
                            At = session.Now,
                        },
                        StateJson.Default.ReportedOutcome
                    )
                )
            ) == 1
        )
        {
            NextChange(session);
        }

        return ChangeResult.Done;
    }

    /// <summary>What was closed long ago leaves the store, and with it how long people took then.</summary>
    public static ChangeResult Drop(SqlSession session, StateChange.ApprovalsDropped change) =>
        ChangeResult.Done with
        {
            Number =
                session.Execute(
                    """
                    DELETE FROM approval WHERE number IN (
                      SELECT number FROM approval WHERE closed_at < @before AND closed_at IS NOT NULL LIMIT @limit)
                    """,
                    ("@before", ColumnValue.From(change.ClosedBefore)),
                    ("@limit", change.Limit)
                )
                + SqlApproverStore.Forget(session, ColumnValue.From(change.ClosedBefore), change.Limit)
                + SqlTimeBoxStore.Forget(session, ColumnValue.From(change.ClosedBefore), change.Limit),
            IsRecorded = false,
        };

    /// <summary>After the clock was set back: what was asked by the wrong time has its time from now on, and what was closed by it
    /// is kept no longer than from now.</summary>
    public static void DrawBack(SqlSession session)
    {
        session.Execute(
            """
            UPDATE approval SET expires_at = @now + (expires_at - asked_at),
              escalates_at = @now + (escalates_at - asked_at), asked_at = @now
            WHERE closed_at IS NULL AND asked_at > @now
            """,
            ("@now", session.NowColumn)
        );
        session.Execute(
            "UPDATE approval SET closed_at = @now WHERE closed_at IS NOT NULL AND closed_at > @now",
            ("@now", session.NowColumn)
        );
    }

    private static ChangeResult Close(
        SqlSession session,
        string approvalId,
        ApprovalState state,
        string closedBy,
        string reason,
        string? lease = null
    )
    {
        if (
            session.Execute(
                """
                UPDATE approval SET change = @change, state = @state, closed_at = @now, closed_by = @closed_by,
                  reason = @reason, lease = @lease
                WHERE id = @id AND closed_at IS NULL
                """,
                ("@id", approvalId),
                ("@change", session.Head.Approvals + 1),
                ("@state", ColumnValue.From(state)),
                ("@now", session.NowColumn),
                ("@closed_by", closedBy),
                ("@reason", reason),
                ("@lease", lease)
            ) == 1
        )
        {
            NextChange(session);
            if (TellsOf(state) is { } kind)
            {
                SqlNotificationStore.Add(session, approvalId, kind, closedBy, reason);
            }

            SqlCallbackStore.Forget(session, approvalId);
            return ChangeResult.Done;
        }

        return
            session.ReadFirst("SELECT id FROM approval WHERE id = @id", row => row.Text(0), ("@id", approvalId)) is null
            ? GuardFailure.NotFound
            : GuardFailure.WrongState;
    }

    // That it was redeemed, its agent knows.
    private static NotificationKind? TellsOf(ApprovalState state) =>
        state switch
        {
            ApprovalState.Denied => NotificationKind.Denied,
            ApprovalState.Expired => NotificationKind.Expired,
            ApprovalState.Voided => NotificationKind.Voided,
            _ => null,
        };

    /// <summary>Whether what would be issued is refused by now, and by what.</summary>
    private static GuardFailure? Reached(SqlSession session, DecisionRecord decision, long fence)
    {
        if (SqlOrderStore.IsFenced(session, decision, "", fence))
        {
            return GuardFailure.Revoked;
        }

        return SqlHoldStore.IsHeld(session, decision, "") ? GuardFailure.Held : null;
    }

    private static long NextChange(SqlSession session)
    {
        var change = session.Head.Approvals + 1;
        session.Head = session.Head with { Approvals = change };
        return change;
    }

    private static string WorkloadKey(TaskOwner owner) => TextDigest.Of(owner.Issuer, owner.Workload);

    private static Approval? Find(SqlSession session, string approvalId) =>
        session.QueryFirst<ApprovalRow>(ApprovalRow.ById, new { id = approvalId })?.ToApproval();
}
