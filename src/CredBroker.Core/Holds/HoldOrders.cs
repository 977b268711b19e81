using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Holds;

/// <summary>
/// Holds as admins place and lift them. A hold refuses what is asked for from its commit on, and what was asked for
/// before it and is not delivered yet: the store compares it with each lease that opens, becomes active or is extended,
/// in the same transaction. With the order that revokes what there is, it is a quarantine. One that the store does not
/// take holds all the same, and is recorded when the store does. No token counts as verified from before a hold.
/// </summary>
public sealed class HoldOrders(
    IBrokerStore store,
    RevocationOrders revocations,
    MissingRecords missing,
    UnrecordedOrders unrecorded,
    AnchorCheck anchor,
    TokenMemory tokens,
    TimeProvider time
)
{
    /// <summary>The longest time that a hold can be given; one that shall last longer lasts until it is lifted.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromDays(366);

    private static readonly Refusal TooMany = new(
        RefusalCode.TooManyHolds,
        $"{Hold.MaxInForce} holds are in force, and there may be no more. Lift some, or hold more by one of them."
    );
    private static readonly Refusal NotFound = new(RefusalCode.HoldNotFound, "There is no hold with this id.");
    private static readonly Refusal Over = new(
        RefusalCode.HoldOver,
        "The hold is over: it was lifted before, or its time has passed."
    );

    private static readonly Refusal NotRecordedYet = new(
        RefusalCode.StoreUnavailable,
        "The store has not taken this hold yet, and would not take its end. Both are for when it takes changes again.",
        TimeSpan.FromSeconds(5)
    );

    /// <summary>Every hold in force, newest first; those without their record before all others.</summary>
    public async ValueTask<IReadOnlyList<Hold>> ListAsync(CancellationToken cancellationToken)
    {
        var unrecordedYet = missing.All.Select(record => record.Hold).OfType<Hold>().ToList();
        var recorded = await store.Holds.ListInForceAsync(cancellationToken);
        return
        [
            .. unrecordedYet
                .OrderByDescending(hold => hold.Id, StringComparer.Ordinal)
                .UnionBy(recorded, hold => hold.Id),
        ];
    }

    /// <summary>Whether the hold is in force without its record.</summary>
    public bool IsRecordMissing(Hold hold) => missing.Find(hold.RevocationId ?? hold.Id) is not null;

    /// <summary>Refuses new issuance and renewal of what the selector reaches.</summary>
    /// <param name="selector">What is held.</param>
    /// <param name="lasts">How long; null means until it is lifted.</param>
    /// <param name="reason">Why, in the admin's words.</param>
    /// <param name="person">Who places it.</param>
    /// <param name="call">The request.</param>
    /// <param name="cancellationToken">Gives up, before it is committed.</param>
    public async ValueTask<Checked<Hold>> PlaceAsync(
        LeaseSelector selector,
        TimeSpan? lasts,
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var hold = NewHold(selector, lasts, reason, person);
        var placing = Placing(hold, person, call);
        try
        {
            return await store.CommitAsync(placing, cancellationToken) is CommitOutcome.Committed ? hold : TooMany;
        }
        catch (StoreUnavailableException fault)
            when (unrecorded.TryBegin(new(placing with { IsPromised = true }, null, hold), fault))
        {
            return hold;
        }
        finally
        {
            tokens.Forget();
        }
    }

    /// <summary>
    /// Places the hold and orders the revocation of what the selector reaches, in one commit. How far the revocation is
    /// tells <see cref="RevocationOrders.FindAsync"/>, by the hold's <see cref="Hold.RevocationId"/>.
    /// </summary>
    /// <inheritdoc cref="PlaceAsync"/>
    public async ValueTask<Checked<Hold>> QuarantineAsync(
        LeaseSelector selector,
        TimeSpan? lasts,
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var hold = NewHold(selector, lasts, reason, person) with { RevocationId = Ids.New(time) };
        try
        {
            return
                await revocations.OrderHeldAsync(Placing(hold, person, call), person, call, cancellationToken) is null
                ? hold
                : TooMany;
        }
        finally
        {
            tokens.Forget();
        }
    }

    /// <summary>
    /// Lifts a hold before its time. What it refused is issued again from the next request on. In a store that is behind its
    /// anchor none is lifted: others that were placed since may be gone from it.
    /// </summary>
    public async ValueTask<Checked<Hold>> LiftAsync(
        string holdId,
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (missing.All.Any(record => record.Hold?.Id == holdId))
        {
            return NotRecordedYet;
        }

        if (anchor.Refusal is { } behind)
        {
            return behind;
        }

        if (!Ids.IsValid(holdId) || await store.Holds.FindAsync(holdId, cancellationToken) is not { } hold)
        {
            return NotFound;
        }

        var outcome = await store.CommitAsync(
            new StateChange.HoldLifted
            {
                HoldId = hold.Id,
                LiftedBy = person.ToString(),
                Reason = reason,
                Event = Event(
                    new HoldLifted
                    {
                        HoldId = hold.Id,
                        Selector = Json(hold.Selector),
                        Reason = reason,
                    },
                    hold,
                    person,
                    call
                ),
            },
            cancellationToken
        );
        return outcome is CommitOutcome.Committed { At: var at }
            ? hold with
            {
                LiftedAt = at,
                LiftedBy = person.ToString(),
                LiftReason = reason,
            }
            : Over;
    }

    private Hold NewHold(LeaseSelector selector, TimeSpan? lasts, string reason, AuditActor person)
    {
        var now = store.Position.UtcNow;
        return new()
        {
            Id = Ids.New(time),
            Selector = selector,
            Reason = reason,
            PlacedBy = person.ToString(),
            PlacedAt = now,
            Until = now + lasts,
        };
    }

    private static StateChange.HoldPlaced Placing(Hold hold, AuditActor person, CallContext call) =>
        new()
        {
            Hold = hold,
            Event = Event(
                new HoldPlaced
                {
                    HoldId = hold.Id,
                    Selector = Json(hold.Selector),
                    Reason = hold.Reason,
                    Until = hold.Until,
                },
                hold,
                person,
                call
            ),
        };

    private static AuditEvent Event(AuditFact what, Hold hold, AuditActor person, CallContext call) =>
        new()
        {
            What = what,
            Actor = person,
            RevocationId = hold.RevocationId,
            TraceId = call.TraceId,
        };

    private static JsonElement Json(LeaseSelector selector) =>
        JsonSerializer.SerializeToElement(selector, StateJson.Default.LeaseSelector);
}
