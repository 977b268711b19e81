using System.Text.Json;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Approvals;
using CredBroker.Storage.Sql.Limits;

namespace CredBroker.Storage.Sql.Holds;

/// <summary>Holds: placed, lifted, and compared with every lease that opens, becomes active or is extended.</summary>
internal static class SqlHoldStore
{
    /// <summary>What is true of a hold in force at <c>@now</c>, in the words of its index.</summary>
    public const string InForce = "lifted_at IS NULL AND coalesce(until, 9223372036854775807) > @now";

    /// <summary>
    /// Whether a hold in force reaches the lease. Without any hold, which is nearly always, nothing is read; with one, once
    /// for a batch.
    /// </summary>
    public static bool IsHeld(SqlSession session, Lease lease) => IsHeld(session, lease.Decision, lease.Id);

    /// <summary>The same, of a lease that stands on this decision.</summary>
    public static bool IsHeld(SqlSession session, DecisionRecord decision, string leaseId) =>
        session.Head.Holds > 0 && ReadInForce(session).Exists(selector => selector.Matches(decision, leaseId));

    /// <summary>Places a hold.</summary>
    public static ChangeResult Place(SqlSession session, StateChange.HoldPlaced change)
    {
        if (change.Tripwire is { } tripwire && !MayTrip(session, tripwire, change.Hold.Selector))
        {
            return ChangeResult.Nothing;
        }

        if (!change.IsPromised && Count(session) >= Hold.MaxInForce)
        {
            return GuardFailure.TooManyHolds;
        }

        var hold = change.Hold;
        session.Execute(
            """
            INSERT INTO hold (id, selector, reason, placed_by, placed_at, until, revocation_id)
            VALUES (@id, @selector, @reason, @placed_by, @placed_at, @until, @revocation)
            """,
            ("@id", hold.Id),
            ("@selector", JsonSerializer.Serialize(hold.Selector, StateJson.Default.LeaseSelector)),
            ("@reason", hold.Reason),
            ("@placed_by", hold.PlacedBy),
            ("@placed_at", ColumnValue.From(hold.PlacedAt)),
            ("@until", ColumnValue.From(hold.Until)),
            ("@revocation", hold.RevocationId)
        );
        session.PlacedHold = hold.Id;
        SqlTimeBoxStore.EndReached(session, hold.Selector, "held", change.Event);
        Recount(session);
        return ChangeResult.Done;
    }

    /// <summary>Lifts a hold that is in force.</summary>
    public static ChangeResult Lift(SqlSession session, StateChange.HoldLifted change)
    {
        if (
            session.Execute(
                $"""
                UPDATE hold SET lifted_at = @now, lifted_by = @lifted_by, lift_reason = @reason
                WHERE id = @id AND {InForce}
                """,
                ("@id", change.HoldId),
                ("@now", session.NowColumn),
                ("@lifted_by", change.LiftedBy),
                ("@reason", change.Reason)
            ) == 1
        )
        {
            Recount(session);
            return ChangeResult.Done;
        }

        return
            session.ReadFirst("SELECT number FROM hold WHERE id = @id", row => row.Number(0), ("@id", change.HoldId))
            == 0
            ? GuardFailure.NotFound
            : GuardFailure.WrongState;
    }

    /// <summary>
    /// A selector as its column holds it. One that cannot be read, or that has no field which this version knows, may
    /// have meant anything: it holds everything until an admin lifts it.
    /// </summary>
    public static LeaseSelector Selector(string json)
    {
        try
        {
            if (JsonSerializer.Deserialize(json, StateJson.Default.LeaseSelector) is { IsEmpty: false } selector)
            {
                return selector;
            }
        }
        catch (JsonException)
        {
            // Said by what is returned: the list of holds shows it as one of everything.
        }

        return new() { Everything = true };
    }

    /// <summary>After the clock was set back: a hold that was placed by the wrong time has its time from now on.</summary>
    public static void DrawBack(SqlSession session) =>
        session.Execute(
            "UPDATE hold SET until = @now + (until - placed_at), placed_at = @now WHERE lifted_at IS NULL AND placed_at > @now",
            ("@now", session.NowColumn)
        );

    // The limit first: of nearly every denial that is all that is asked.
    private static bool MayTrip(SqlSession session, Tripwire tripwire, LeaseSelector instance) =>
        (tripwire.Kind != LimitKind.Denied || SqlLimitStore.IsTripped(session, tripwire.Use))
        && !ReadInForce(session).Contains(instance)
        && Count(session) < Hold.MaxInForce - Hold.KeptForPeople;

    private static List<LeaseSelector> ReadInForce(SqlSession session) =>
        session.HoldsInForce ??= session.ReadAll(
            $"SELECT selector FROM hold WHERE {InForce}",
            row => Selector(row.Text(0)),
            ("@now", session.NowColumn)
        );

    private static void Recount(SqlSession session)
    {
        session.ForgetHolds();
        session.Head = session.Head with { Holds = Count(session) };
    }

    private static long Count(SqlSession session) =>
        session.ReadFirst(
            $"SELECT count(*) FROM hold WHERE {InForce}",
            row => row.Number(0),
            ("@now", session.NowColumn)
        );
}
