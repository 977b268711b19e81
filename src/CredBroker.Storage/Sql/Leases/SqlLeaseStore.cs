using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Activity;
using CredBroker.Storage.Sql.Approvals;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Idempotency;
using CredBroker.Storage.Sql.Limits;
using CredBroker.Storage.Sql.Owners;
using CredBroker.Storage.Sql.Revocations;
using CredBroker.Storage.Sql.Tasks;

namespace CredBroker.Storage.Sql.Leases;

/// <summary>Leases from their opening to the last renewal. Revocation is in <see cref="SqlRevocationStore"/>.</summary>
internal static class SqlLeaseStore
{
    /// <summary>Reads what an activation is compared with while there are holds, by <c>@id</c>.</summary>
    private const string FindPendingText =
        $"SELECT {LeaseRow.Decision} FROM lease l WHERE l.id = @id AND l.state = 'pending'";

    private static readonly SqlRows OpenText = new(
        """
        INSERT INTO lease (
          id, state, decision, told_stream, told_sequence, agent, workload, instance, subject, task, process, credential,
          owner, issuer, trust_domain, backend, accessor, public_name, opened_at, issuance_deadline)
        VALUES (
          @id, 'pending', 0, @stream, @sequence, @agent, @workload, @instance, @subject, @task, @process, @credential,
          @owner, @issuer, @trust_domain, @backend, @accessor, @public_name, @now, @deadline)
        """,
        """
        INSERT INTO lease (
          id, state, decision, told_stream, told_sequence, agent, workload, instance, subject, task, process, credential,
          owner, issuer, trust_domain, backend, accessor, public_name, opened_at, issuance_deadline)
        SELECT
          id, 'pending', 0, stream, sequence, agent, workload, instance, subject, task, process, credential,
          owner, issuer, trust_domain, backend, accessor, public_name, now, deadline
        FROM rows
        """
    );

    /// <summary>
    /// Says that <see cref="Activate"/> will read it, if there were holds when this was last looked at: there mostly are
    /// none, and then it reads nothing.
    /// </summary>
    public static void Foresee(SqlSession session, StateChange.LeaseActivated change)
    {
        if (session.Head.Holds > 0)
        {
            session.Foresee(FindPendingText, ReadPending, ("@id", change.LeaseId));
        }
    }

    /// <summary>Says that the lease is another one now.</summary>
    public static void Forget(SqlSession session, string leaseId) => session.Forget(FindPendingText, ("@id", leaseId));

    /// <summary>
    /// Open. The guards are read in the transaction that inserts, so that whatever was committed before is seen.
    /// </summary>
    public static ChangeResult Open(SqlSession session, StateChange.LeaseOpened change)
    {
        var lease = change.Lease;
        if (change.Reservations.Opening != session.Head.Opening)
        {
            return GuardFailure.StoreReopened;
        }

        if (lease.Decision.PolicyVersion != session.Head.PolicyVersion)
        {
            return GuardFailure.PolicyChanged;
        }

        if (SqlOwnerStore.IsStale(session, lease.Decision))
        {
            return GuardFailure.PolicyChanged;
        }

        var (joined, owner) = (lease.Decision.Task, change.Reservations.TaskOwner);
        if (SqlTaskStore.FindRefusal(session, joined, owner) is { } notYours)
        {
            return notYours;
        }

        if (SqlOrderStore.IsFenced(session, lease, change.Reservations.Fence))
        {
            return GuardFailure.Revoked;
        }

        if (SqlHoldStore.IsHeld(session, lease))
        {
            return GuardFailure.Held;
        }

        if (SqlLimitStore.Reserve(session, lease.Id, change.Reservations.Limits) is { } breach)
        {
            return new ChangeResult(GuardFailure.LimitReached, Breach: breach);
        }

        if (SqlIdempotencyStore.Claim(session, change.Reservations.Idempotency, lease.Id) is { } inUse)
        {
            return inUse;
        }

        if (SqlApprovalStore.Use(session, change) is { } notApproved)
        {
            return notApproved;
        }

        SqlTaskStore.Join(session, joined, owner);
        SqlActivityStore.CountIssued(session, lease.Decision);
        var (identity, task, decision) = (lease.Decision.Identity, lease.Decision.Task, lease.Decision.Verdict);
        session.Write(
            OpenText,
            ("@id", lease.Id),
            // Its event is the next record, and has the decision.
            ("@stream", session.Stream),
            ("@sequence", session.Head.Audit.Sequence + 1),
            ("@agent", decision.Agent),
            ("@workload", identity.Workload),
            ("@instance", identity.Instance),
            ("@subject", identity.Subject),
            ("@task", task.Id),
            ("@process", task.Process),
            ("@credential", lease.Decision.Request.Credential),
            ("@owner", decision.Grant?.Process.Owner?.Subject ?? ""),
            ("@issuer", identity.Issuer),
            ("@trust_domain", identity.TrustDomain),
            ("@backend", lease.Grant.Entry.Backend),
            ("@accessor", lease.Accessor),
            ("@public_name", lease.PublicName),
            ("@now", session.NowColumn),
            ("@deadline", ColumnValue.From(lease.IssuanceDeadline))
        );
        return ChangeResult.Done;
    }

    /// <summary>Activate.</summary>
    public static ChangeResult Activate(SqlSession session, StateChange.LeaseActivated change)
    {
        if (
            session.Head.Holds > 0
            && session.ReadFirst(FindPendingText, ReadPending, ("@id", change.LeaseId)) is { } pending
            && SqlHoldStore.IsHeld(session, pending.Decision(change.LeaseId), change.LeaseId)
        )
        {
            return GuardFailure.Held;
        }

        var changed = session.ChangesOne(
            """
            UPDATE lease SET state = 'active', activated_at = @now, expires_at = @expires, grace_until = @grace,
              vault_lease_id = @vault_lease, credential_accessor = @credential_accessor, public_name = @public_name
            WHERE id = @id AND state = 'pending' AND issuance_deadline > @counted
            """,
            ("@id", change.LeaseId),
            ("@now", session.NowColumn),
            ("@counted", session.CountedColumn),
            ("@expires", ColumnValue.From(change.ExpiresAt)),
            ("@grace", ColumnValue.From(change.GraceUntil)),
            ("@vault_lease", change.Handles.VaultLeaseId),
            ("@credential_accessor", change.Handles.CredentialAccessor),
            ("@public_name", change.Handles.PublicName)
        );
        return changed
            ? ChangeResult.Done
            : FindState(session, change.LeaseId) switch
            {
                null => GuardFailure.NotFound,
                "pending" => GuardFailure.DeadlinePassed,
                _ => GuardFailure.WrongState,
            };
    }

    /// <summary>
    /// A secret was made after its lease could no longer take it. A handle that is known already is never forgotten for
    /// one that is not. What is over stays as it was confirmed.
    /// </summary>
    public static ChangeResult RecordHandles(SqlSession session, StateChange.HandlesRecorded change)
    {
        var changed = session.ChangesOne(
            """
            UPDATE lease SET vault_lease_id = coalesce(@vault_lease, vault_lease_id),
              credential_accessor = coalesce(@credential_accessor, credential_accessor),
              public_name = coalesce(nullif(@public_name, ''), public_name)
            WHERE id = @id AND confirmed_at IS NULL
            """,
            ("@id", change.LeaseId),
            ("@vault_lease", change.Handles.VaultLeaseId),
            ("@credential_accessor", change.Handles.CredentialAccessor),
            ("@public_name", change.Handles.PublicName)
        );
        if (changed)
        {
            return ChangeResult.Done;
        }

        return FindState(session, change.LeaseId) is null ? GuardFailure.NotFound : GuardFailure.WrongState;
    }

    /// <summary>A secret was made after its lease was over: a lease of its own, to be revoked.</summary>
    public static ChangeResult OpenLate(SqlSession session, StateChange.LateLeaseOpened change)
    {
        SqlDecisionStore.Keep(session, SqlDecisionStore.ReadTold(session, change.LateFor));
        var opened = session.Execute(
            """
            INSERT INTO lease (
              id, state, decision, agent, workload, instance, subject, task, process, credential, owner, issuer,
              trust_domain, backend, accessor, credential_accessor, vault_lease_id, public_name, opened_at, issuance_deadline,
              cause, requested_by, revocation_id, revocation_requested_at)
            SELECT
              @id, 'revoking', decision, agent, workload, instance, subject, task, process, credential, owner, issuer,
              trust_domain, backend, accessor, @credential_accessor, @vault_lease, @public_name, @now, issuance_deadline,
              @cause, @requested_by, revocation_id, @now
            FROM lease WHERE id = @late_for AND confirmed_at IS NOT NULL
            """,
            ("@id", change.LeaseId),
            ("@late_for", change.LateFor),
            ("@credential_accessor", change.Handles.CredentialAccessor),
            ("@vault_lease", change.Handles.VaultLeaseId),
            ("@public_name", change.Handles.PublicName),
            ("@cause", ColumnValue.From(change.Cause)),
            ("@requested_by", change.RequestedBy),
            ("@now", session.NowColumn)
        );
        if (opened == 0)
        {
            return FindState(session, change.LateFor) is null ? GuardFailure.NotFound : GuardFailure.WrongState;
        }

        SqlOrderStore.ReachAlso(session, change.LateFor, change.LeaseId);
        return ChangeResult.Done;
    }

    /// <summary>A renewal.</summary>
    public static ChangeResult Renew(SqlSession session, StateChange.LeaseRenewed change)
    {
        if (change.Opening != session.Head.Opening)
        {
            return GuardFailure.StoreReopened;
        }

        if (change.PolicyVersion != session.Head.PolicyVersion)
        {
            return GuardFailure.PolicyChanged;
        }

        // What only shortens was decided by nobody anew, and is no owner's business.
        if (change.Decision is { } decided && SqlOwnerStore.IsStale(session, decided))
        {
            return GuardFailure.PolicyChanged;
        }

        if ((change.Fence < session.Head.Fence || session.Head.Holds > 0) && Find(session, change.LeaseId) is { } lease)
        {
            var asDecided = lease with { Decision = change.Decision ?? lease.Decision };
            if (
                SqlOrderStore.IsFenced(session, lease, change.Fence)
                || SqlOrderStore.IsFenced(session, asDecided, change.Fence)
            )
            {
                return GuardFailure.Revoked;
            }

            // An end that is brought forward is no hold's business.
            if (
                change.ExpiresAt > lease.ExpiresAt
                && (SqlHoldStore.IsHeld(session, lease) || SqlHoldStore.IsHeld(session, asDecided))
            )
            {
                return GuardFailure.Held;
            }
        }

        var changed = session.ChangesOne(
            """
            UPDATE lease SET expires_at = @expires, grace_until = @grace
            WHERE id = @id AND state = 'active' AND expires_at > @now
            """,
            ("@id", change.LeaseId),
            ("@now", session.NowColumn),
            ("@expires", ColumnValue.From(change.ExpiresAt)),
            ("@grace", ColumnValue.From(change.GraceUntil))
        );
        return changed
            ? ChangeResult.Done
            : FindState(session, change.LeaseId) switch
            {
                null => GuardFailure.NotFound,
                "active" => GuardFailure.DeadlinePassed,
                _ => GuardFailure.WrongState,
            };
    }

    /// <summary>
    /// After the clock was set back: what lies ahead of it only because it was wrong keeps no revocation waiting, and a
    /// lease that was issued by the wrong time has its life from now on.
    /// </summary>
    public static void DrawBack(SqlSession session)
    {
        session.Execute(
            """
            UPDATE lease SET
              next_attempt_at = CASE WHEN next_attempt_at > @now THEN @now ELSE next_attempt_at END,
              claimed_until = CASE WHEN claimed_until > @now THEN @now ELSE claimed_until END,
              accessor_revoked_at = CASE WHEN accessor_revoked_at > @now THEN @now ELSE accessor_revoked_at END,
              issuance_deadline = CASE WHEN issuance_deadline > @now THEN @now ELSE issuance_deadline END
            WHERE confirmed_at IS NULL AND state <> 'active'
            """,
            ("@now", session.NowColumn)
        );
        session.Execute(
            """
            UPDATE lease SET expires_at = @now + (expires_at - activated_at),
              grace_until = @now + (grace_until - activated_at), activated_at = @now
            WHERE confirmed_at IS NULL AND state = 'active' AND activated_at > @now
            """,
            ("@now", session.NowColumn)
        );
    }

    /// <summary>The state's text, or null for an unknown lease: says why an update found nothing.</summary>
    public static string? FindState(SqlSession session, string leaseId) =>
        session.ReadFirst("SELECT state FROM lease WHERE id = @id", row => row.Text(0), ("@id", leaseId));

    /// <summary>One lease by its id; for what is rare.</summary>
    private static Lease? Find(SqlSession session, string leaseId) =>
        session.QueryFirst<LeaseRow>(LeaseRow.ById, new { id = leaseId })?.ToLease();

    private static PendingRow ReadPending(SqlStatement row) =>
        new(row.IsNull(0) ? null : row.Bytes(0), row.TextOrNull(1));

    /// <summary>What a lease that is pending was decided from, as it is stored.</summary>
    private sealed record PendingRow(byte[]? Told, string? Kept)
    {
        /// <exception cref="InvalidDataException">It cannot be read: whether a hold reaches the lease is not known.</exception>
        public DecisionRecord Decision(string leaseId)
        {
            try
            {
                return ToldDecision.Read(leaseId, Told, Kept)
                    ?? throw new InvalidDataException("its decision is gone.");
            }
            catch (Exception e)
            {
                throw new InvalidDataException($"Lease {leaseId} cannot be read: {e.Message}", e);
            }
        }
    }
}
