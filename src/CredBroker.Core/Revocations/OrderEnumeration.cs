using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Finds the leases that open orders reach, people's orders before closed tasks, and marks each as revoking. An order
/// that cannot be brought to its end now is left alone for a while, and holds up no other.
/// </summary>
internal sealed partial class OrderEnumeration(
    IBrokerStore store,
    LeaseRevoker revoker,
    StrayKill strays,
    RevocationSignal signal,
    UnderWay underWay,
    ILogger logger
)
{
    /// <summary>How many orders one pass enumerates, so that a newer one of a person is soon seen.</summary>
    private const int OrdersAtOnce = 32;

    /// <summary>
    /// How many leases of one order wait for the store's writer at once: with as many orders they are half of what may
    /// wait there, so that the closes of one agent keep nobody else's change out.
    /// </summary>
    private const int MarksAtOnce = 64;

    private static readonly StrayOutcome NotYet = new(AreGone: false, []);
    private static readonly TimeSpan BetweenKills = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenRepeatedKills = TimeSpan.FromSeconds(30);

    // By the order that reaches everything, once its known leases are marked: what the newest look for what no record
    // knows came to.
    private readonly ConcurrentDictionary<string, StrayOutcome> _strays = new(StringComparer.Ordinal);

    /// <summary>What is being done now, for orders and for leases.</summary>
    public UnderWay UnderWay => underWay;

    /// <summary>One pass over the open orders.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        // Together: the store's writer makes one commit of what waits for it. A person's order does not wait for that.
        var open = (await FindAsync(cancellationToken))
            .Where(order => !AwaitsStrays(order, cancellationToken))
            .Take(OrdersAtOnce)
            .ToList();
        var isPersons = open.Exists(order => order.Cause != RevocationCause.TaskClosed);
        var now = isPersons ? open.Where(order => order.Cause != RevocationCause.TaskClosed) : open;
        await Task.WhenAll(now.Select(order => EnumerateAsync(order, cancellationToken)));
        if (isPersons || open.Count == OrdersAtOnce)
        {
            signal.Raise();
        }
    }

    /// <summary>Whether an order is open that nothing has to be waited for.</summary>
    public async ValueTask<bool> IsOpenAsync(CancellationToken cancellationToken) =>
        (await FindAsync(cancellationToken)).Count > 0;

    /// <summary>Open orders, without those that are left alone, which take no place of others.</summary>
    private ValueTask<IReadOnlyList<RevocationOrder>> FindAsync(CancellationToken cancellationToken) =>
        store.Revocations.FindOpenAsync(OrdersAtOnce + _strays.Count, underWay.IsFree, cancellationToken);

    /// <summary>
    /// Marks every lease that the order reaches as revoking. None is missed: a lease that was opened before the order is
    /// found here, and one that would be opened after it is refused by the store, to which the order is a fence. What is
    /// revoking or failed already is reached, too: its secret may still work, so the order waits for it.
    /// </summary>
    private async Task EnumerateAsync(RevocationOrder order, CancellationToken cancellationToken)
    {
        try
        {
            if (!await MarkAllAsync(order, cancellationToken))
            {
                underWay.Pause(order.Id, BetweenKills);
                return;
            }

            if (order.Selector.Everything && order.Cause != RevocationCause.TaskClosed)
            {
                // Everything is more than what is known here: the order stays open until that is gone as well.
                if (!_strays.GetOrAdd(order.Id, NotYet).AreGone)
                {
                    return;
                }
            }

            var notSearched = _strays.GetValueOrDefault(order.Id, NotYet).NotSearched;
            await store.CommitAsync(Enumerated(order, notSearched), cancellationToken);
            _strays.TryRemove(order.Id, out _);
        }
        catch (StoreUnavailableException fault)
        {
            underWay.Pause(order.Id);
            LogNotEnumerated(logger, order.Id, fault);
        }
    }

    /// <summary>
    /// Whether every lease that the order reaches is marked. One that the store refuses keeps no other from it, and is
    /// killed at Vault where a person ordered it.
    /// </summary>
    private async ValueTask<bool> MarkAllAsync(RevocationOrder order, CancellationToken cancellationToken)
    {
        var reason = new RevocationReason(order.Cause, AuditActor.Broker("revocation"), order.Id, null)
        {
            RequestedBy = order.RequestedBy,
        };
        var isPersons = order.Cause != RevocationCause.TaskClosed;
        var (areAll, next) = (true, default(string));
        do
        {
            var page = await store.Leases.ListAsync(
                new()
                {
                    Selector = order.Selector,
                    States = LeaseStates.NotOver,
                    After = next,
                    Limit = MarksAtOnce,
                },
                cancellationToken
            );
            var marked = await Task.WhenAll([
                .. page.Leases.Select(lease =>
                    TryAsync(
                        lease.Id,
                        () => revoker.MarkAsync(lease, reason, LeaseStates.NotOver),
                        () => revoker.KillAsync(lease with { Cause = order.Cause, Attempts = 0 })
                    )
                ),
                .. page.Unreadable.Select(lease =>
                    TryAsync(
                        lease.Id,
                        () => revoker.MarkAsync(lease, reason, LeaseStates.NotOver),
                        () => revoker.KillAsync(lease, RevocationLane.Emergency)
                    )
                ),
            ]);
            areAll &= Array.TrueForAll(marked, isMarked => isMarked);
            if (!isPersons && marked.Length > 0 && !Array.Exists(marked, isMarked => isMarked))
            {
                // The store takes nothing.
                return false;
            }

            next = page.Next;
        } while (next is not null);

        return areAll;

        async Task<bool> TryAsync(string leaseId, Func<ValueTask<bool>> mark, Func<ValueTask<bool>> kill)
        {
            try
            {
                await mark();
                if (isPersons)
                {
                    // What waits for its place already, claimed by now, no pass would find.
                    underWay.Hurry(leaseId, (int)RevocationLane.Emergency);
                }

                return true;
            }
            catch (Exception fault) when (fault is StoreUnavailableException or ArgumentException)
            {
                LogNotMarked(logger, leaseId, order.Id, fault);
            }

            // The secret does not wait for the store.
            if (isPersons && underWay.IsFree(leaseId))
            {
                underWay.Begin(
                    leaseId,
                    async () =>
                    {
                        await kill();
                        underWay.Pause(leaseId, BetweenRepeatedKills);
                    }
                );
            }

            return false;
        }
    }

    /// <summary>
    /// Whether the order's known leases are marked and what no record knows is still being looked for, which is begun
    /// here.
    /// </summary>
    private bool AwaitsStrays(RevocationOrder order, CancellationToken cancellationToken)
    {
        if (!_strays.TryGetValue(order.Id, out var found) || found.AreGone)
        {
            return false;
        }

        underWay.Begin(
            order.Id,
            async () =>
            {
                _strays[order.Id] = await strays.RunAsync(order.RequestedAt, cancellationToken);
                if (!_strays[order.Id].AreGone)
                {
                    underWay.Pause(order.Id, BetweenKills);
                }
            }
        );
        return true;
    }

    private static StateChange.RevocationEnumerated Enumerated(
        RevocationOrder order,
        IReadOnlyList<NotSearched> notSearched
    ) =>
        new()
        {
            RevocationId = order.Id,
            NotSearched = notSearched,
            Event = new()
            {
                What = new RevocationEnumerated { NotSearched = [.. notSearched.Select(place => place.Why)] },
                Actor = AuditActor.Broker("revocation"),
                RevocationId = order.Id,
            },
        };

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Order {RevocationId} could not be brought to its end; it is tried again."
    )]
    private static partial void LogNotEnumerated(ILogger logger, string revocationId, Exception fault);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Lease {LeaseId} could not be marked for order {RevocationId}; it is tried again."
    )]
    private static partial void LogNotMarked(ILogger logger, string leaseId, string revocationId, Exception fault);
}
