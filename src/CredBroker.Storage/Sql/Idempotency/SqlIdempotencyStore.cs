using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Idempotency;

/// <summary>Idempotency keys, for 24 hours after their first use or their last replacement.</summary>
internal static class SqlIdempotencyStore
{
    /// <summary>How long a key is taken, in milliseconds.</summary>
    public static readonly long Life = (long)TimeSpan.FromHours(24).TotalMilliseconds;

    /// <summary>Reads what a key, by <c>@caller</c> and <c>@key</c>, was used for last.</summary>
    private const string FindText = """
        SELECT i.lease, i.request_hash, l.confirmed_at, i.at FROM idempotency i LEFT JOIN lease l ON l.id = i.lease
        WHERE i.caller_key = @caller AND i.key = @key
        """;

    /// <summary>
    /// Says that <see cref="Claim"/> will read it. Not where a lease is replaced: that one may end within the batch.
    /// </summary>
    public static void Foresee(SqlSession session, IdempotencyClaim? claim)
    {
        if (claim is { Replaces: null })
        {
            session.Foresee(FindText, Read, ("@caller", claim.CallerKey), ("@key", claim.Key));
        }
    }

    /// <summary>
    /// Enters the key for the lease. It must be free, or hold exactly the lease that is over and to be replaced.
    /// </summary>
    public static GuardFailure? Claim(SqlSession session, IdempotencyClaim? claim, string leaseId)
    {
        if (claim is null)
        {
            return null;
        }

        if (claim.Replaces is not null)
        {
            // What another change of the batch has read may be from before the lease was over.
            session.Forget(FindText, ("@caller", claim.CallerKey), ("@key", claim.Key));
        }

        var oldest = session.NowColumn - Life;
        var found = session.ReadFirst(FindText, Read, ("@caller", claim.CallerKey), ("@key", claim.Key));
        if (
            found is not null
            && found.At > oldest
            && (found.Lease != claim.Replaces || found.RequestHash != claim.RequestHash || !found.IsOver)
        )
        {
            return GuardFailure.IdempotencyTaken;
        }

        session.Write(
            """
            INSERT INTO idempotency (caller_key, key, request_hash, lease, at)
            VALUES (@caller, @key, @hash, @lease, @now)
            ON CONFLICT (caller_key, key) DO UPDATE SET request_hash = @hash, lease = @lease, at = @now
            """,
            ("@caller", claim.CallerKey),
            ("@key", claim.Key),
            ("@hash", claim.RequestHash),
            ("@lease", leaseId),
            ("@now", session.NowColumn)
        );
        session.Forget(FindText, ("@caller", claim.CallerKey), ("@key", claim.Key));
        // Each use of a key takes a few outdated ones away, so that the table stays as large as a day's keys.
        session.Write(
            """
            DELETE FROM idempotency WHERE (caller_key, key) IN
              (SELECT caller_key, key FROM idempotency WHERE at <= @oldest ORDER BY at LIMIT 4)
            """,
            ("@oldest", oldest)
        );
        return null;
    }

    private static Row Read(SqlStatement row) => new(row.Text(0), row.Text(1), !row.IsNull(2), row.Number(3));

    private sealed record Row(string Lease, string RequestHash, bool IsOver, long At);

    /// <summary>After the clock was set back: a key that was taken by the wrong time is free a day from now.</summary>
    public static void DrawBack(SqlSession session) =>
        session.Execute("UPDATE idempotency SET at = @now WHERE at > @now", ("@now", session.NowColumn));
}
