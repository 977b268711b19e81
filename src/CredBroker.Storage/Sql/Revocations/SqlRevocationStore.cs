using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Limits;

namespace CredBroker.Storage.Sql.Revocations;

/// <summary>Leases from the claim of a revocation to its confirmation.</summary>
internal static class SqlRevocationStore
{
    /// <summary>Reads what a claim is compared with, by <c>@id</c>.</summary>
    private const string FindText =
        "SELECT state, claimed_by, claimed_until, expires_at, activated_at, confirmed_at FROM lease WHERE id = @id";

    private static readonly LeaseState[] Claimable =
    [
        LeaseState.Pending,
        LeaseState.Active,
        LeaseState.Revoking,
        LeaseState.Failed,
    ];

    private const long LongestClaim = 3_600_000;

    /// <summary>Says that <see cref="Claim"/> will read it.</summary>
    public static void Foresee(SqlSession session, string leaseId) => session.Foresee(FindText, Read, ("@id", leaseId));

    /// <summary>Says that the lease is another one now.</summary>
    public static void Forget(SqlSession session, string leaseId) => session.Forget(FindText, ("@id", leaseId));

    /// <summary>
    /// Claim. The first one sets cause, requester and time and is recorded; later ones only take the work.
    /// </summary>
    public static ChangeResult Claim(SqlSession session, StateChange.RevocationClaimed change)
    {
        var found = session.ReadFirst(FindText, Read, ("@id", change.LeaseId));
        if (found is null)
        {
            return GuardFailure.NotFound;
        }

        // A worker's claim comes after the order's pass has marked it: only the pass asks whether it had before.
        var isRepeated = false;
        if (change.ClaimedBy is null)
        {
            isRepeated = !SqlOrderStore.ReachesFirst(session, change.RevocationId, change.LeaseId);
        }
        else
        {
            SqlOrderStore.Reach(session, change.RevocationId, change.LeaseId);
        }

        var isUrgent =
            !isRepeated
            && change
                is {
                    ClaimedBy: null,
                    RevocationId: not null,
                    Cause: RevocationCause.Admin or RevocationCause.Quarantine
                };
        var isClaimed = IsClaimed(session, found) && found.ClaimedBy != change.ClaimedBy;
        // It may have been renewed since the sweep read it.
        var isEarly =
            found.State == LeaseState.Active
            && change.Cause == RevocationCause.Expiry
            && found.ExpiresAt > session.NowColumnFor(found.ActivatedAt);
        if (isClaimed && change is { ClaimedBy: null, RevocationId: not null } && Claimable.Contains(found.State))
        {
            // Somebody is at it: the order takes nothing from them, and waits for what comes of it.
            session.Write(
                "UPDATE lease SET urgent = CASE WHEN @urgent = 1 THEN 2 ELSE urgent END WHERE id = @id",
                ("@id", change.LeaseId),
                ("@urgent", isUrgent ? 1 : 0)
            );
            return ChangeResult.Done with { IsRecorded = false };
        }

        if (
            isClaimed
            || isEarly
            || !(change.OnlyFrom.Count == 0 ? Claimable : change.OnlyFrom).Contains(found.State)
            || !Claimable.Contains(found.State)
        )
        {
            return GuardFailure.WrongState;
        }

        if (found.State is LeaseState.Pending or LeaseState.Active)
        {
            session.Write(
                """
                UPDATE lease SET state = 'revoking', cause = @cause, requested_by = @requested_by,
                  revocation_requested_at = @now, revocation_id = @revocation, claimed_by = @claimed_by, claimed_until = @claimed_until,
                  confirmed_at = NULL
                WHERE id = @id
                """,
                ("@id", change.LeaseId),
                ("@cause", ColumnValue.From(change.Cause)),
                ("@requested_by", change.RequestedBy),
                ("@now", session.NowColumn),
                ("@revocation", change.RevocationId),
                ("@claimed_by", change.ClaimedBy),
                ("@claimed_until", ColumnValue.From(change.ClaimedUntil))
            );
            return ChangeResult.Done;
        }

        if (isRepeated && change.ClaimedBy is null)
        {
            // The order's pass is repeated: what it marked goes on as it does.
            return ChangeResult.Done with { IsRecorded = false };
        }

        // Marking without a claim makes it due at once. Not so where only time can prove that no secret was made.
        session.Write(
            """
            UPDATE lease SET state = 'revoking', revocation_id = coalesce(revocation_id, @revocation),
              claimed_by = @claimed_by, claimed_until = @claimed_until, confirmed_at = NULL,
              urgent = CASE WHEN @urgent = 1 THEN 1 ELSE urgent END,
              next_attempt_at = CASE
                WHEN @claimed_by IS NULL
                  AND (accessor_revoked_at IS NULL OR vault_lease_id IS NOT NULL OR credential_accessor IS NOT NULL)
                THEN NULL ELSE next_attempt_at END
            WHERE id = @id
            """,
            ("@id", change.LeaseId),
            ("@revocation", change.RevocationId),
            ("@claimed_by", change.ClaimedBy),
            ("@claimed_until", ColumnValue.From(change.ClaimedUntil)),
            ("@urgent", isUrgent ? 1 : 0)
        );
        return ChangeResult.Done with { IsRecorded = false };
    }

    /// <summary>The accessor is revoked; a later sweep proves that nothing is left.</summary>
    public static ChangeResult RecordAccessor(SqlSession session, StateChange.AccessorRevoked change) =>
        Result(
            session,
            change.LeaseId,
            session.ChangesOne(
                """
                UPDATE lease SET accessor_revoked_at = @revoked_at, next_attempt_at = @next,
                  grace_until = coalesce(grace_until, @until), claimed_by = NULL, claimed_until = NULL
                WHERE id = @id AND state IN ('revoking', 'failed')
                """,
                ("@id", change.LeaseId),
                ("@revoked_at", ColumnValue.From(change.RevokedAt)),
                ("@next", ColumnValue.From(change.NextAttemptAt)),
                ("@until", ColumnValue.From(change.MayExistUntil))
            )
        );

    /// <summary>Nobody can be asked whether a secret was made: the lease waits until one has ended by itself.</summary>
    public static ChangeResult AwaitEnd(SqlSession session, StateChange.AbsenceAwaited change) =>
        Result(
            session,
            change.LeaseId,
            session.ChangesOne(
                """
                UPDATE lease SET state = 'revoking', next_attempt_at = @next, claimed_by = NULL, claimed_until = NULL
                WHERE id = @id AND state IN ('revoking', 'failed')
                """,
                ("@id", change.LeaseId),
                ("@next", ColumnValue.From(change.NextAttemptAt))
            )
        );

    /// <summary>
    /// Settle: confirmed. By a person's word only what was tried, and what nobody is at: the attempt may still say.
    /// </summary>
    public static ChangeResult Confirm(SqlSession session, StateChange.LeaseRevoked change) =>
        Over(
            session,
            change.LeaseId,
            session.ChangesOne(
                """
                UPDATE lease SET state = 'revoked', confirmed_at = @now, confirmed_by = @confirmed_by,
                  next_attempt_at = NULL, claimed_by = NULL, claimed_until = NULL
                WHERE id = @id AND state IN ('revoking', 'failed')
                  AND (
                    @confirmed_by = ''
                    OR ((attempts > 0 OR accessor_revoked_at IS NOT NULL)
                      AND (claimed_until IS NULL OR claimed_until <= @counted OR claimed_until > @counted + 3600000))
                  )
                """,
                ("@id", change.LeaseId),
                ("@now", session.NowColumn),
                ("@counted", session.CountedColumn),
                ("@confirmed_by", change.ConfirmedBy)
            )
        );

    /// <summary>Settle: not confirmed.</summary>
    public static ChangeResult Fail(SqlSession session, StateChange.RevocationFailed change) =>
        Result(
            session,
            change.LeaseId,
            session.ChangesOne(
                """
                UPDATE lease SET state = CASE WHEN @tried = 1 THEN 'failed' ELSE state END,
                  attempts = CASE
                    WHEN @tried = 0 THEN attempts
                    WHEN attempts BETWEEN 0 AND 1000000 THEN attempts + 1
                    ELSE 1
                  END,
                  last_error = @error,
                  next_attempt_at = CASE WHEN urgent = 2 THEN NULL ELSE @next END,
                  urgent = CASE WHEN urgent = 2 OR (urgent = 1 AND @tried = 0) THEN 1 ELSE 0 END,
                  claimed_by = NULL, claimed_until = NULL
                WHERE id = @id AND state IN ('revoking', 'failed')
                """,
                ("@id", change.LeaseId),
                ("@tried", change.WasTried ? 1 : 0),
                ("@error", change.Error),
                ("@next", ColumnValue.From(change.NextAttemptAt))
            )
        );

    /// <summary>Over without anything to revoke.</summary>
    public static ChangeResult End(SqlSession session, StateChange.LeaseEnded change)
    {
        SqlOrderStore.Reach(session, change.RevocationId, change.LeaseId);
        return Over(
            session,
            change.LeaseId,
            session.ChangesOne(
                """
                UPDATE lease SET state = 'ended', confirmed_at = @now, next_attempt_at = NULL,
                  claimed_by = NULL, claimed_until = NULL,
                  cause = coalesce(cause, @cause), revocation_id = coalesce(revocation_id, @revocation),
                  requested_by = CASE WHEN revocation_requested_at IS NULL THEN @requested_by ELSE requested_by END,
                  revocation_requested_at = coalesce(revocation_requested_at, @now)
                WHERE id = @id AND state IN ('pending', 'active', 'revoking', 'failed')
                """,
                ("@id", change.LeaseId),
                ("@now", session.NowColumn),
                ("@cause", ColumnValue.From(change.Cause)),
                ("@revocation", change.RevocationId),
                ("@requested_by", change.RequestedBy)
            )
        );
    }

    /// <summary>
    /// Ends every claim: of workers that are no more, so that nothing waits for them. An attempt of theirs that an order
    /// came upon says nothing any more; the next one is that order's.
    /// </summary>
    public static void DropClaims(SqlSession session) =>
        session.Execute(
            """
            UPDATE lease SET claimed_by = NULL, claimed_until = NULL, urgent = CASE WHEN urgent = 2 THEN 1 ELSE urgent END
            WHERE state IN ('revoking', 'failed') AND claimed_until IS NOT NULL
            """
        );

    // No claim runs longer than an hour (LeaseOptions.ClaimTime), and none on what nobody revokes: anything else is damage.
    private static bool IsClaimed(SqlSession session, ClaimRow found) =>
        found.State is LeaseState.Revoking or LeaseState.Failed
        && found.ClaimedUntil > session.CountedColumn
        && found.ClaimedUntil <= session.CountedColumn + LongestClaim;

    /// <summary>A state that cannot be read is not over, nor one that nothing confirms.</summary>
    private static LeaseState StateOf(string column, bool isConfirmed) =>
        ColumnValue.TryState(column) is { } state && (isConfirmed || LeaseStates.NotOver.Contains(state))
            ? state
            : LeaseState.Active;

    private static ChangeResult Over(SqlSession session, string leaseId, bool changed)
    {
        if (changed)
        {
            SqlLimitStore.Release(session, leaseId);
        }

        return Result(session, leaseId, changed);
    }

    private static ChangeResult Result(SqlSession session, string leaseId, bool changed)
    {
        if (changed)
        {
            return ChangeResult.Done;
        }

        return SqlLeaseStore.FindState(session, leaseId) is null ? GuardFailure.NotFound : GuardFailure.WrongState;
    }

    private static ClaimRow Read(SqlStatement row) =>
        new(
            StateOf(row.Text(0), isConfirmed: row.NumberOrNull(5) is not null),
            row.TextOrNull(1),
            row.NumberOrNull(2),
            row.NumberOrNull(3),
            row.NumberOrNull(4)
        );

    private sealed record ClaimRow(
        LeaseState State,
        string? ClaimedBy,
        long? ClaimedUntil,
        long? ExpiresAt,
        long? ActivatedAt
    );
}
