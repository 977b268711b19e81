using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Revocations;

namespace CredBroker.Storage.Sql.Approvals;

/// <summary>
/// Time boxes: opened with the redemption of their approval, used, ended. What reaches one that is open, an order, a hold,
/// a closed task, ends it within its own transaction: so no use can come between, and none that comes after has to look
/// for what came before. Times are by the count of what has passed.
/// </summary>
internal static class SqlTimeBoxStore
{
    /// <summary>Opens the one that people gave with the approval, with the lease that uses it up; nothing if they gave none.</summary>
    public static void Open(SqlSession session, StateChange.LeaseOpened change, Approval approval)
    {
        if (approval.TimeBox is not { } length)
        {
            return;
        }

        var endsAt = session.CountedColumn + (long)length.TotalMilliseconds;
        var digest = change.Reservations.Approval!.TimeBoxDigest;
        session.Execute(
            """
            INSERT INTO time_box (approval, digest, caller_key, fence, opened_at, ends_at)
            VALUES (@approval, @digest, @caller, @fence, @counted, @ends)
            """,
            ("@approval", approval.Id),
            ("@digest", digest),
            ("@caller", approval.CallerKey),
            // Whom an order has reached since it was asked for is kept out of it, as of the redemption.
            ("@fence", approval.Fence),
            ("@counted", session.CountedColumn),
            ("@ends", endsAt)
        );
        Count(session, approval.Id, change.Lease.Id);
        session.Tell(
            change.Event! with
            {
                What = new TimeBoxOpened
                {
                    ApprovalId = approval.Id,
                    Digest = digest,
                    EndsAt = ColumnValue.Time(endsAt),
                },
                Judgement = null,
            }
        );
    }

    /// <summary>
    /// Has the lease open in the time box of its redeemed approval, or says why it cannot: what it may differ in, actions and
    /// life, is compared here, and the rest by the digest.
    /// </summary>
    public static GuardFailure? Use(SqlSession session, StateChange.LeaseOpened change, Approval approval)
    {
        var (use, decision) = (change.Reservations.Approval!, change.Lease.Decision);
        if (
            approval
                is not {
                    State: ApprovalState.Redeemed,
                    IsMet: true,
                    TimeBox: not null,
                    Decision: { Verdict.Grant: { } approved } asked
                }
            || session.QueryFirst<TimeBoxRow>(TimeBoxRow.ByApproval, new { approval = approval.Id }) is not { } timeBox
            || timeBox.EndedAt is not null
            || timeBox.EndsAt <= session.CountedColumn
            || timeBox.Uses >= TimeBox.MaxUses
            || timeBox.Digest != use.TimeBoxDigest
            || decision.Verdict.Grant is not { } granted
            || granted.Ttl > approved.Ttl
            || !decision.Request.Actions.All(asked.Request.Actions.Contains)
        )
        {
            return GuardFailure.ApprovalNotUsable;
        }

        // An order about an executor who has had nothing of it yet has ended nothing, and keeps that one out.
        if (SqlOrderStore.IsFenced(session, change.Lease, timeBox.Fence))
        {
            return GuardFailure.Revoked;
        }

        Count(session, approval.Id, change.Lease.Id);
        session.Tell(
            change.Event! with
            {
                What = new TimeBoxUsed
                {
                    ApprovalId = approval.Id,
                    Digest = timeBox.Digest,
                    Use = (int)timeBox.Uses + 1,
                },
                Judgement = null,
            }
        );
        return null;
    }

    /// <summary>Ends one.</summary>
    public static ChangeResult End(SqlSession session, StateChange.TimeBoxEnded change)
    {
        if (
            session.QueryFirst<TimeBoxRow>(TimeBoxRow.ByApproval, new { approval = change.ApprovalId })
            is not { } timeBox
        )
        {
            return GuardFailure.NotFound;
        }

        return timeBox.EndedAt is not null || (change.OnlyIfOver && timeBox.EndsAt > session.CountedColumn)
            ? GuardFailure.WrongState
            : Close(session, change.ApprovalId, change.Cause, change.Event!.Actor);
    }

    /// <summary>
    /// Ends those that are open of which the selector reaches what was approved, or any lease that was opened in them: whom
    /// people want stopped is not issued the same again. An event tells it of each.
    /// </summary>
    public static void EndReached(SqlSession session, LeaseSelector selector, string cause, AuditEvent? by)
    {
        var open = ReadOpen(session);
        if (open.Count == 0)
        {
            return;
        }

        HashSet<string>? held = null;
        foreach (var approvalId in open)
        {
            // One whose approval cannot be read was given for nobody knows what.
            var approval = Find(session, approvalId);
            if (approval is null || selector.Matches(approval.Decision, "") || IsHeld(approval))
            {
                EndAndTell(session, approvalId, approval?.Decision, cause, by);
            }
        }

        // Without an executor each of its leases is of the one that asked, for the same: only by its id is it reached alone.
        bool IsHeld(Approval approval) =>
            (selector.Lease is not null || approval.Executor.Length > 0)
            && (held ??= LeasesReached(session, selector)).Contains(approval.Id);
    }

    /// <summary>Ends all that are open, and an event tells it of each.</summary>
    public static void EndAll(SqlSession session, string cause, AuditEvent by)
    {
        foreach (var approvalId in ReadOpen(session))
        {
            EndAndTell(session, approvalId, Find(session, approvalId)?.Decision, cause, by);
        }
    }

    /// <summary>What ended long ago leaves the store.</summary>
    public static int Forget(SqlSession session, long before, long limit)
    {
        var gone = session.ReadAll(
            "SELECT approval FROM time_box WHERE ended_at < @before AND ended_at IS NOT NULL LIMIT @limit",
            row => row.Text(0),
            ("@before", before),
            ("@limit", limit)
        );
        foreach (var approvalId in gone)
        {
            session.Execute("DELETE FROM time_box_lease WHERE approval = @approval", ("@approval", approvalId));
            session.Execute("DELETE FROM time_box WHERE approval = @approval", ("@approval", approvalId));
        }

        return gone.Count;
    }

    /// <summary>After the clock was set back: what ended by it is kept no longer than from now.</summary>
    public static void DrawBack(SqlSession session) =>
        session.Execute(
            "UPDATE time_box SET ended_at = @now WHERE ended_at IS NOT NULL AND ended_at > @now",
            ("@now", session.NowColumn)
        );

    private static void Count(SqlSession session, string approvalId, string leaseId)
    {
        session.Execute("UPDATE time_box SET uses = uses + 1 WHERE approval = @approval", ("@approval", approvalId));
        session.Execute(
            "INSERT INTO time_box_lease (approval, lease) VALUES (@approval, @lease)",
            ("@approval", approvalId),
            ("@lease", leaseId)
        );
    }

    private static List<string> ReadOpen(SqlSession session) =>
        session.ReadAll("SELECT approval FROM time_box WHERE ended_at IS NULL ORDER BY number", row => row.Text(0));

    // By the columns that orders are enumerated by; of an executor's leases they say who the executor is.
    private static HashSet<string> LeasesReached(SqlSession session, LeaseSelector selector) =>
        session
            .ReadAll(
                """
                SELECT DISTINCT t.approval FROM time_box t
                JOIN time_box_lease u ON u.approval = t.approval JOIN lease l ON l.id = u.lease
                WHERE t.ended_at IS NULL AND l.id = coalesce(@lease, l.id) AND l.agent = coalesce(@agent, l.agent)
                  AND l.workload = coalesce(@workload, l.workload) AND l.instance = coalesce(@instance, l.instance)
                  AND l.subject = coalesce(@subject, l.subject) AND l.task = coalesce(@task, l.task)
                  AND l.process = coalesce(@process, l.process) AND l.credential = coalesce(@credential, l.credential)
                  AND l.owner = coalesce(@owner, l.owner) AND l.issuer = coalesce(@issuer, l.issuer)
                  AND l.trust_domain = coalesce(@trust_domain, l.trust_domain)
                """,
                row => row.Text(0),
                ("@lease", selector.Lease),
                ("@agent", selector.Agent),
                ("@workload", selector.Workload),
                ("@instance", selector.Instance),
                ("@subject", selector.Subject),
                ("@task", selector.Task),
                ("@process", selector.Process),
                ("@credential", selector.Credential),
                ("@owner", selector.Owner),
                ("@issuer", selector.Issuer),
                ("@trust_domain", selector.TrustDomain)
            )
            .ToHashSet(StringComparer.Ordinal);

    private static void EndAndTell(
        SqlSession session,
        string approvalId,
        DecisionRecord? decision,
        string cause,
        AuditEvent? by
    )
    {
        var actor = by?.Actor ?? AuditActor.Broker("store");
        Close(session, approvalId, cause, actor);
        session.Tell(
            new()
            {
                What = new TimeBoxEnded { ApprovalId = approvalId },
                Actor = actor,
                DecisionId = decision?.Id,
                Process = decision?.Task.Process,
                TaskId = decision?.Task.Id,
                Credential = decision?.Request.Credential,
                Holder = decision is null ? null : DecisionFacts.Holder(decision),
                Reason = cause,
                TraceId = by?.TraceId,
            }
        );
    }

    private static ChangeResult Close(SqlSession session, string approvalId, string cause, AuditActor by)
    {
        session.Execute(
            """
            UPDATE time_box SET ended_at = @now, ended_by = @by, cause = @cause
            WHERE approval = @approval AND ended_at IS NULL
            """,
            ("@approval", approvalId),
            ("@now", session.NowColumn),
            ("@by", by.ToString()),
            ("@cause", cause)
        );
        return ChangeResult.Done;
    }

    private static Approval? Find(SqlSession session, string approvalId) =>
        session.QueryFirst<ApprovalRow>(ApprovalRow.ById, new { id = approvalId })?.ToApproval();
}
