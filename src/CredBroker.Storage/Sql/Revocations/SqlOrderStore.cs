using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Approvals;

namespace CredBroker.Storage.Sql.Revocations;

/// <summary>Revocation orders: the fence rows.</summary>
internal static class SqlOrderStore
{
    private const string ReachText =
        "INSERT INTO revocation_reach (revocation, lease) VALUES (@revocation, @lease) ON CONFLICT DO NOTHING";

    /// <summary>
    /// Whether an order committed after the fence reaches the lease. Without a newer order, which is nearly always,
    /// nothing is read. One that cannot be read is taken to reach everything: that refuses what was under way when it
    /// was given, and nothing later.
    /// </summary>
    public static bool IsFenced(SqlSession session, Lease lease, long fence) =>
        IsFenced(session, lease.Decision, lease.Id, fence);

    /// <inheritdoc cref="IsFenced(SqlSession, Lease, long)"/>
    public static bool IsFenced(SqlSession session, DecisionRecord decision, string leaseId, long fence) =>
        fence < session.Head.Fence
        && session
            .ReadAll(
                "SELECT selector FROM revocation_order WHERE fence > @fence",
                row => row.Text(0),
                ("@fence", fence)
            )
            .Exists(selector => Reaches(selector, decision, leaseId));

    /// <summary>Commits the fence row.</summary>
    public static ChangeResult Insert(SqlSession session, StateChange.RevocationOrdered change)
    {
        if (change.OnlyWithHold is { } hold && hold != session.PlacedHold)
        {
            return ChangeResult.Nothing;
        }

        var order = change.Order;
        var fence = session.Head.Fence + 1;
        session.Write(
            """
            INSERT INTO revocation_order (fence, id, selector, cause, reason, requested_by, requested_at)
            VALUES (@fence, @id, @selector, @cause, @reason, @requested_by, @requested_at)
            """,
            ("@fence", fence),
            ("@id", order.Id),
            ("@selector", JsonSerializer.Serialize(order.Selector, StateJson.Default.LeaseSelector)),
            ("@cause", ColumnValue.From(order.Cause)),
            ("@reason", order.Reason),
            ("@requested_by", order.RequestedBy),
            ("@requested_at", ColumnValue.From(order.RequestedAt))
        );
        session.Head = session.Head with { Fence = fence };
        SqlTimeBoxStore.EndReached(session, order.Selector, "revoked", change.Event);
        return ChangeResult.Done with { Number = fence };
    }

    /// <summary>The order, if there is one, has reached the lease: it is over only when the lease is.</summary>
    public static void Reach(SqlSession session, string? revocationId, string leaseId)
    {
        if (revocationId is not null)
        {
            session.Write(ReachText, ("@revocation", revocationId), ("@lease", leaseId));
        }
    }

    /// <summary>The same; returns whether it had not before.</summary>
    public static bool ReachesFirst(SqlSession session, string? revocationId, string leaseId) =>
        revocationId is null || session.ChangesOne(ReachText, ("@revocation", revocationId), ("@lease", leaseId));

    /// <summary>Every order that reached the one lease waits for the other, too.</summary>
    public static void ReachAlso(SqlSession session, string leaseId, string alsoLeaseId) =>
        session.Execute(
            """
            INSERT INTO revocation_reach (revocation, lease)
            SELECT revocation, @also FROM revocation_reach WHERE lease = @lease
            """,
            ("@lease", leaseId),
            ("@also", alsoLeaseId)
        );

    /// <summary>Every lease of the order is claimed.</summary>
    public static ChangeResult Enumerated(SqlSession session, StateChange.RevocationEnumerated change)
    {
        if (
            session.Execute(
                """
                UPDATE revocation_order SET enumerated_at = @now, not_searched = @not_searched
                WHERE id = @id AND enumerated_at IS NULL
                """,
                ("@id", change.RevocationId),
                ("@now", session.NowColumn),
                ("@not_searched", JsonSerializer.Serialize([.. change.NotSearched], StateJson.Default.NotSearchedArray))
            ) == 1
        )
        {
            return ChangeResult.Done;
        }

        return
            session.ReadFirst(
                "SELECT fence FROM revocation_order WHERE id = @id",
                row => row.Number(0),
                ("@id", change.RevocationId)
            ) == 0
            ? GuardFailure.NotFound
            : GuardFailure.WrongState;
    }

    /// <summary>A selector as its column holds it.</summary>
    /// <exception cref="JsonException">The column holds none any more.</exception>
    public static LeaseSelector Selector(string json) =>
        JsonSerializer.Deserialize(json, StateJson.Default.LeaseSelector) is { IsEmpty: false } selector
            ? selector
            : throw new JsonException("There is no selector, or none that names anything.");

    /// <summary>What an order reaches; null where it cannot be read.</summary>
    public static LeaseSelector? TryReadSelector(string selector)
    {
        try
        {
            return Selector(selector);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Reaches(string selector, DecisionRecord decision, string leaseId) =>
        TryReadSelector(selector)?.Matches(decision, leaseId) is not false;
}
