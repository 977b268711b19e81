using System.Globalization;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Limits;

/// <summary>
/// What is counted for limits: a row for whatever is counted together, with how many leases of it are not over, and one
/// for each issuance or denial that some limit still looks back at. So a check costs the same however many leases there
/// are or have been, and what counted says nothing any more is deleted, some of it with each that is counted.
/// </summary>
internal static class SqlLimitStore
{
    /// <summary>
    /// How many leases of <c>@key</c> are not over, how many events it has had within <c>@window</c> milliseconds until
    /// <c>@now</c> (none where that is "0"), and that time. Events of one key have rising numbers, so nothing is counted.
    /// </summary>
    public const string FindText = """
        SELECT k.active,
          k.newest + 1 - coalesce(
            (SELECT e.sequence FROM limit_event e
              WHERE e.key = k.key AND e.at > @now - CAST(@window AS BIGINT) ORDER BY e.at, e.sequence LIMIT 1),
            k.newest + 1),
          CAST(@now AS BIGINT)
        FROM limit_key k WHERE k.key = @key
        """;

    /// <summary>When the event of <c>@key</c> came that has <c>@later</c> after it.</summary>
    public const string EventText =
        "SELECT at FROM limit_event WHERE key = @key ORDER BY at DESC, sequence DESC LIMIT 1 OFFSET @later";

    private const string NoWindow = "0";

    /// <summary>Says that <see cref="Reserve"/> will read these.</summary>
    public static void Foresee(SqlSession session, IReadOnlyList<LimitUse> limits)
    {
        foreach (var use in limits)
        {
            Foresee(session, use.Key, WindowOf(use.Limit.MaxIssued));
        }

        ForeseeDenial(session, limits);
    }

    /// <summary>Says that <see cref="Count"/> will read these.</summary>
    public static void ForeseeDenial(SqlSession session, IReadOnlyList<LimitUse> limits)
    {
        foreach (var use in limits)
        {
            if (use.Limit.MaxDenied is { } denied)
            {
                Foresee(session, use.DeniedKey, WindowOf(denied));
            }
        }
    }

    /// <summary>Takes a place of each limit for the lease, or says which has none.</summary>
    public static LimitBreach? Reserve(SqlSession session, string leaseId, IReadOnlyList<LimitUse> limits)
    {
        foreach (var use in limits)
        {
            // Every one is looked at, so that what was read ahead of any is as it is now.
            if (FindBreach(session, use) is { } breach)
            {
                return breach;
            }
        }

        foreach (var together in limits.GroupBy(use => use.Key))
        {
            var isActive = together.Any(use => use.Limit.MaxActive is not null);
            if (isActive)
            {
                session.Write(
                    "INSERT INTO limit_active (lease, key) VALUES (@lease, @key)",
                    ("@lease", leaseId),
                    ("@key", together.Key)
                );
            }

            Take(session, together.Key, isActive, [.. together.Select(use => use.Limit.MaxIssued)]);
        }

        return null;
    }

    /// <summary>The lease is over: its places are free.</summary>
    public static void Release(SqlSession session, string leaseId)
    {
        session.Write(
            "UPDATE limit_key SET active = active - 1 WHERE key IN (SELECT key FROM limit_active WHERE lease = @lease)",
            ("@lease", leaseId)
        );
        session.Write("DELETE FROM limit_active WHERE lease = @lease", ("@lease", leaseId));
    }

    /// <summary>
    /// Counts a denial once for all limits that count it together, up to the one that breaks the last of them.
    /// </summary>
    public static ChangeResult Count(SqlSession session, IReadOnlyList<LimitUse> limits)
    {
        var isCounted = false;
        foreach (var together in limits.GroupBy(use => use.DeniedKey))
        {
            // Every one is looked at, so that what was read ahead of any is as it is now.
            if (together.Select(use => IsTripped(session, use)).ToList().Contains(false))
            {
                Take(session, together.Key, isActive: false, [.. together.Select(use => use.Limit.MaxDenied)]);
                isCounted = true;
            }
        }

        return isCounted ? ChangeResult.Done : ChangeResult.Nothing;
    }

    /// <summary>Whether more requests were denied than may be.</summary>
    public static bool IsTripped(SqlSession session, LimitUse use) =>
        use.Limit.MaxDenied is { } denied
        && Find(session, use.DeniedKey, WindowOf(denied), row => row.Events > denied.Count).Events > denied.Count;

    /// <summary>
    /// After the clock was set back: what was counted by the wrong time counts as of now, and is deleted in its time.
    /// </summary>
    public static void DrawBack(SqlSession session)
    {
        session.Execute(
            "UPDATE limit_event SET at = @now, until = @now + (until - at) WHERE at > @now",
            ("@now", session.NowColumn)
        );
        session.Execute(
            """
            UPDATE limit_key
            SET until = (SELECT coalesce(max(e.until), 0) FROM limit_event e WHERE e.key = limit_key.key)
            WHERE until > @now
            """,
            ("@now", session.NowColumn)
        );
    }

    /// <summary>A window as <see cref="FindText"/> takes it.</summary>
    public static string WindowOf(LimitRate? rate) =>
        rate is null ? NoWindow : Milliseconds(rate).ToString(CultureInfo.InvariantCulture);

    /// <summary>How long until an event has left the window; whole seconds.</summary>
    public static TimeSpan Until(long at, LimitRate rate, long now) =>
        TimeSpan.FromSeconds(Math.Max(1, (at + Milliseconds(rate) - now + 999) / 1000));

    private static LimitBreach? FindBreach(SqlSession session, LimitUse use)
    {
        var (limit, issued) = (use.Limit, use.Limit.MaxIssued);
        if (limit.MaxActive is not null || issued is not null)
        {
            var row = Find(session, use.Key, WindowOf(issued), row => IsFull(row, limit));
            if (row.Active >= limit.MaxActive && !use.Passed.Contains(LimitKind.Active))
            {
                return new(limit, LimitKind.Active, null);
            }

            if (row.Events >= issued?.Count && !use.Passed.Contains(LimitKind.Issued))
            {
                return new(limit, LimitKind.Issued, Wait(session, use.Key, issued, issued.Count - 1));
            }
        }

        return IsTripped(session, use) && !use.Passed.Contains(LimitKind.Denied)
            ? new(limit, LimitKind.Denied, Wait(session, use.DeniedKey, limit.MaxDenied!, limit.MaxDenied!.Count))
            : null;
    }

    private static bool IsFull(Row row, PolicyLimit limit) =>
        row.Active >= limit.MaxActive || row.Events >= limit.MaxIssued?.Count;

    private static TimeSpan Wait(SqlSession session, string key, LimitRate rate, long later) =>
        Until(
            session.ReadFirst(EventText, row => row.Number(0), ("@key", key), ("@later", later)),
            rate,
            session.NowColumn
        );

    /// <summary>
    /// What is counted. What was read ahead may be from before leases of the batch were over and before its time: too much
    /// then, and where that is what refuses, or the time was a wrong one, it is read again.
    /// </summary>
    private static Row Find(SqlSession session, string key, string window, Func<Row, bool> refuses)
    {
        var row = Read(session, key, window);
        if (row is not null && (row.At > session.NowColumn || refuses(row)))
        {
            session.Forget(FindText, ("@key", key), ("@window", window));
            row = Read(session, key, window);
        }

        return row ?? new(0, 0, session.NowColumn);
    }

    private static Row? Read(SqlSession session, string key, string window) =>
        session.ReadFirst(FindText, Map, ("@key", key), ("@window", window), ("@now", session.NowColumn));

    private static void Foresee(SqlSession session, string key, string window) =>
        session.Foresee(FindText, Map, ("@key", key), ("@window", window), ("@now", session.Foreseeable));

    private static void Take(SqlSession session, string key, bool isActive, IReadOnlyList<LimitRate?> rates)
    {
        var longest = rates.Max(rate => rate is null ? 0 : Milliseconds(rate));
        var known = rates.Select(WindowOf).Distinct().Select(window => (window, Read(session, key, window))).ToList();
        session.Write(
            """
            INSERT INTO limit_key (key, active, newest, until) VALUES (@key, @active, @events, @until)
            ON CONFLICT (key) DO UPDATE SET active = limit_key.active + @active, newest = limit_key.newest + @events,
              until = CASE WHEN limit_key.until > @until THEN limit_key.until ELSE @until END
            """,
            ("@key", key),
            ("@active", isActive ? 1 : 0),
            ("@events", longest > 0 ? 1 : 0),
            ("@until", session.NowColumn + longest)
        );
        if (longest > 0)
        {
            session.Write(
                "INSERT INTO limit_event (key, at, sequence, until) SELECT key, @now, newest, @until FROM limit_key WHERE key = @key",
                ("@key", key),
                ("@now", session.NowColumn),
                ("@until", session.NowColumn + longest)
            );
        }

        foreach (var (window, row) in known)
        {
            var before = row ?? new(0, 0, session.NowColumn);
            session.Know(
                FindText,
                before with
                {
                    Active = before.Active + (isActive ? 1 : 0),
                    Events = before.Events + (window == NoWindow ? 0 : 1),
                },
                ("@key", key),
                ("@window", window)
            );
        }

        Prune(session);
    }

    // Each that is counted takes a few away that no limit looks at any more, so that the tables stay as large as that.
    private static void Prune(SqlSession session)
    {
        session.Write(
            """
            DELETE FROM limit_event WHERE (key, at, sequence) IN
              (SELECT key, at, sequence FROM limit_event WHERE until <= @now ORDER BY until LIMIT 4)
            """,
            ("@now", session.NowColumn)
        );
        session.Write(
            """
            DELETE FROM limit_key WHERE key IN
              (SELECT k.key FROM limit_key k WHERE k.active = 0 AND k.until <= @now
                AND NOT EXISTS (SELECT 1 FROM limit_event e WHERE e.key = k.key) ORDER BY k.until LIMIT 4)
            """,
            ("@now", session.NowColumn)
        );
    }

    private static long Milliseconds(LimitRate rate) => (long)rate.Per.TotalMilliseconds;

    private static Row Map(SqlStatement row) => new(row.Number(0), row.Number(1), row.Number(2));

    private sealed record Row(long Active, long Events, long At);
}
