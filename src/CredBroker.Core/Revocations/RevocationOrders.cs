using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Takes orders to revoke, an admin's or a closed task's, and shows how far each is. The order is committed before any
/// lease is looked for, so that from then on no lease that it covers can open; <see cref="RevocationRun"/> carries it
/// out. A store that does not take a person's order does not keep it from being carried out:
/// <see cref="UnrecordedOrders"/>.
/// </summary>
public sealed class RevocationOrders(
    IBrokerStore store,
    MissingRecords missing,
    UnrecordedOrders unrecorded,
    StrayKill strays,
    RevocationSignal signal,
    TimeProvider time
)
{
    private static readonly NotSearched NotSearchedUnknown = new(
        "",
        "What this order did not search for secrets that no record knows was not kept: it is of an earlier version."
    );

    /// <summary>
    /// Commits an admin's order and has it carried out. That goes on without the caller, and after a crash.
    /// </summary>
    public async ValueTask<RevocationOrder> OrderAsync(
        LeaseSelector selector,
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var order = NewOrder(selector, RevocationCause.Admin, reason, person);
        var ordered = new StateChange.RevocationOrdered
        {
            Order = order,
            Event = OrderEvent(Ordered(order), order, person, call),
        };
        try
        {
            await store.CommitAsync(ordered, cancellationToken);
        }
        catch (StoreUnavailableException fault)
        {
            await CarryOutUnrecordedAsync(new(ordered, order, null), fault);
            return order;
        }

        signal.Raise();
        return order;
    }

    /// <summary>
    /// Quarantine: commits an order for what a hold reaches together with the hold, so that nothing is issued between
    /// the two, and has it carried out.
    /// </summary>
    /// <param name="placed">The hold; its <see cref="Hold.RevocationId"/> is the order's id.</param>
    /// <param name="person">Who orders it.</param>
    /// <param name="call">The request.</param>
    /// <param name="cancellationToken">Gives up, before it is committed.</param>
    /// <returns>The hold's guard that failed; null where none did.</returns>
    internal async ValueTask<GuardFailure?> OrderHeldAsync(
        StateChange.HoldPlaced placed,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var hold = placed.Hold;
        var order = NewOrder(hold.Selector, RevocationCause.Quarantine, hold.Reason, person) with
        {
            Id = hold.RevocationId ?? throw new ArgumentException("The hold names no order.", nameof(placed)),
        };
        var ordered = new StateChange.RevocationOrdered
        {
            Order = order,
            Event = OrderEvent(Ordered(order), order, person, call),
        };
        try
        {
            var outcome = await store.CommitAsync(new StateChange.All([placed, ordered]), cancellationToken);
            if (outcome is CommitOutcome.Committed)
            {
                signal.Raise();
            }

            return (outcome as CommitOutcome.GuardFailed)?.Reason;
        }
        catch (StoreUnavailableException fault)
        {
            await CarryOutUnrecordedAsync(
                new(new StateChange.All([placed with { IsPromised = true }, ordered]), order, hold),
                fault
            );
            return null;
        }
    }

    /// <summary>
    /// What an order would reach now, at most 1,000 leases, and what would still be accepted; records that it was asked.
    /// </summary>
    public async ValueTask<RevocationPreview> DryRunAsync(
        LeaseSelector selector,
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var order = NewOrder(selector, RevocationCause.Admin, reason, person);
        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                // Never by the type of an order: whoever counts orders must not count looks.
                Event = OrderEvent(
                    new RevocationPreviewed { Selector = SelectorOf(order), Reason = order.Reason },
                    order,
                    person,
                    call
                ) with
                {
                    RevocationId = null,
                },
            },
            cancellationToken
        );
        var reached = await store.Leases.ListAsync(
            new()
            {
                Selector = selector,
                States = LeaseStates.NotOver,
                Limit = 1000,
            },
            cancellationToken
        );
        var notSearched = selector.Everything ? await strays.PreviewAsync(cancellationToken) : [];
        return new(
            reached,
            [
                .. reached
                    .Leases.Select(StillValid.Of)
                    .Concat(reached.Unreadable.Select(StillValid.Of))
                    .Concat(notSearched.Select(StillValid.Of))
                    .OfType<StillValid>(),
            ]
        );
    }

    /// <summary>Whether the order is carried out without its record.</summary>
    public bool IsRecordMissing(string revocationId) => missing.Find(revocationId) is not null;

    /// <summary>How far an order is, per lease, or null for an unknown id.</summary>
    public async ValueTask<RevocationProgress?> FindAsync(string revocationId, CancellationToken cancellationToken)
    {
        if (!Ids.IsValid(revocationId))
        {
            return null;
        }

        var unrecordedYet = missing.Find(revocationId);
        if (unrecordedYet is { Order: null })
        {
            return null;
        }

        var order = unrecordedYet?.Order ?? await store.Revocations.FindAsync(revocationId, cancellationToken);
        if (order is null)
        {
            return null;
        }

        var (first, counts, next) = (new List<Lease>(), new Dictionary<LeaseState, int>(), default(string));
        var unreadable = new List<UnreadableLease>();
        var stillValid = new List<StillValid>();
        // By the earlier of the two clocks: one that is ahead must not hide what may still be accepted.
        var (stored, now) = (store.Position.UtcNow, time.GetUtcNow());
        var earlier = stored < now ? stored : now;
        do
        {
            var page = await store.Leases.ListAsync(
                new()
                {
                    RevocationId = unrecordedYet is null ? revocationId : null,
                    Selector = unrecordedYet?.Order.Selector ?? new(),
                    States = unrecordedYet is null ? [] : LeaseStates.NotOver,
                    After = next,
                    Limit = 1000,
                },
                cancellationToken
            );
            foreach (var lease in page.Leases)
            {
                counts[lease.State] = counts.GetValueOrDefault(lease.State) + 1;
                if (first.Count < 1000)
                {
                    first.Add(lease);
                }

                if (StillValid.Of(lease) is { } left && (left.Until is not { } until || until > earlier))
                {
                    stillValid.Add(left);
                }
            }

            // What cannot be read may still work: it is counted, and named.
            foreach (var lease in page.Unreadable)
            {
                counts[lease.State] = counts.GetValueOrDefault(lease.State) + 1;
                if (unreadable.Count < 1000)
                {
                    unreadable.Add(lease);
                }

                if (StillValid.Of(lease) is { } left)
                {
                    stillValid.Add(left);
                }
            }

            next = page.Next;
        } while (next is not null);

        if (order.Selector.Everything)
        {
            // As it was carried out, whatever policy is in force now; while it is, by the newest look.
            var notSearched =
                order.NotSearched ?? (order.EnumeratedAt is null ? strays.NotSearched : [NotSearchedUnknown]);
            stillValid.AddRange(notSearched.Select(StillValid.Of));
        }

        return new(order, first, counts, stillValid) { Unreadable = unreadable, DeadAtVault = unrecordedYet?.Dead };
    }

    /// <summary>
    /// Closes a task and revokes what was issued for it. A null owner closes it as an admin. Null means closed.
    /// </summary>
    public async ValueTask<Refusal?> CloseTaskAsync(
        string process,
        string taskId,
        TaskOwner? owner,
        AuditActor actor,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var order = NewOrder(
            new() { Process = process, Task = taskId },
            RevocationCause.TaskClosed,
            "task closed",
            actor
        );
        var closes = OrderEvent(
            new TaskClosed { Selector = SelectorOf(order), Reason = order.Reason },
            order,
            actor,
            call
        ) with
        {
            Process = process,
            TaskId = taskId,
        };
        while (true)
        {
            // The task's own event names the order and what it reaches.
            var closed = await store.CommitAsync(
                new StateChange.All([
                    new StateChange.TaskClosed
                    {
                        Process = process,
                        TaskId = taskId,
                        Owner = owner,
                        ClosedBy = order.RequestedBy,
                        Event = closes,
                    },
                    new StateChange.RevocationOrdered { Order = order, Event = null },
                ]),
                cancellationToken
            );
            switch (closed)
            {
                case CommitOutcome.GuardFailed { Reason: GuardFailure.TaskClosed }:
                    // Closing is idempotent for its owner.
                    return null;
                case CommitOutcome.GuardFailed { Reason: GuardFailure.NotFound }:
                    break;
                case CommitOutcome.GuardFailed { Reason: var reason }:
                    return GuardRefusals.Of(reason);
                default:
                    signal.Raise();
                    return null;
            }

            // Nothing was ever issued for it: there is nothing to revoke, and none of its leases can open from now on.
            var barred = await store.CommitAsync(
                new StateChange.TaskBarred
                {
                    Process = process,
                    TaskId = taskId,
                    Owner = owner,
                    ClosedBy = order.RequestedBy,
                    Event = closes with { RevocationId = null },
                },
                cancellationToken
            );
            if (barred is CommitOutcome.Committed)
            {
                return null;
            }

            // Opened, or closed, between the two commits: it is known now.
        }
    }

    /// <summary>Throws <see cref="OrderNotKeptException"/> where it was carried out and cannot be kept.</summary>
    private async Task CarryOutUnrecordedAsync(MissingRecord record, StoreUnavailableException fault)
    {
        if (!unrecorded.TryBegin(record, fault))
        {
            throw await unrecorded.CarryOutOnceAsync(record, fault);
        }
    }

    /// <summary>An order that commits together with something else of an admin's.</summary>
    internal StateChange.RevocationOrdered Prepare(
        LeaseSelector selector,
        string reason,
        AuditActor person,
        CallContext call
    )
    {
        var order = NewOrder(selector, RevocationCause.Admin, reason, person);
        return new() { Order = order, Event = OrderEvent(Ordered(order), order, person, call) };
    }

    /// <summary>Such an order is committed.</summary>
    internal void Ordered() => signal.Raise();

    private RevocationOrder NewOrder(LeaseSelector selector, RevocationCause cause, string reason, AuditActor actor) =>
        new()
        {
            Id = Ids.New(time),
            Selector = selector,
            Cause = cause,
            Reason = reason,
            RequestedBy = actor.ToString(),
            RequestedAt = store.Position.UtcNow,
        };

    private static AuditEvent OrderEvent(AuditFact what, RevocationOrder order, AuditActor actor, CallContext call) =>
        new()
        {
            What = what,
            Actor = actor,
            RevocationId = order.Id,
            TraceId = call.TraceId,
        };

    private static RevocationOrdered Ordered(RevocationOrder order) =>
        new() { Selector = SelectorOf(order), Reason = order.Reason };

    private static JsonElement SelectorOf(RevocationOrder order) =>
        JsonSerializer.SerializeToElement(order.Selector, StateJson.Default.LeaseSelector);
}
