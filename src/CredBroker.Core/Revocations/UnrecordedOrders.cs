using CredBroker.Core.Leases;
using CredBroker.Core.Readiness;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Carries out a person's orders that the store did not take: kills at Vault what the store last knew, and for one that
/// reaches everything also what it does not know. Nothing of that is ever called complete; once the store takes the
/// order, it is carried out as any other, which confirms lease by lease what is dead already.
/// </summary>
public sealed partial class UnrecordedOrders(
    IBrokerStore store,
    MissingRecords missing,
    LeaseRevoker revoker,
    StrayKill strays,
    RevocationSignal signal,
    TimeProvider time,
    ILogger<UnrecordedOrders> logger
)
{
    private static readonly TimeSpan BetweenPasses = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Keeps the order and begins to kill. False where there are too many already. What it comes to is
    /// <see cref="KillAsync"/>'s, of which nobody has to wait.
    /// </summary>
    internal bool TryBegin(MissingRecord record, Exception fault)
    {
        if (!missing.TryKeep(record))
        {
            return false;
        }

        LogMissing(logger, record.Order.Id, record.Order.RequestedBy, fault);
        _ = Task.Run(() => GoOnAsync(record));
        return true;
    }

    /// <summary>Puts on record what the store takes now.</summary>
    public async ValueTask RecordAsync(CancellationToken cancellationToken)
    {
        foreach (var record in missing.All)
        {
            try
            {
                // What is said to have failed may have been committed.
                if (await store.Revocations.FindAsync(record.Order.Id, cancellationToken) is null)
                {
                    await CommitAsync(record, cancellationToken);
                }
            }
            catch (StoreUnavailableException)
            {
                return;
            }

            missing.Recorded(record.Order.Id);
            LogRecorded(logger, record.Order.Id);
            signal.Raise();
        }
    }

    /// <summary>One pass of killing: whether nothing is left of what is known.</summary>
    public async Task<bool> KillAsync(MissingRecord record, CancellationToken cancellationToken)
    {
        var order = record.Order;
        var isGone = !order.Selector.Everything || await strays.RunAsync(order.RequestedAt, cancellationToken);
        string? next = null;
        do
        {
            var page = await store.Leases.ListAsync(
                new()
                {
                    Selector = order.Selector,
                    States = LeaseStates.NotOver,
                    After = next,
                    Limit = 1000,
                },
                cancellationToken
            );
            var killed = await Task.WhenAll(
                page.Leases.Where(lease => lease.Reach != Policy.RevocationReach.None && !record.IsDead(lease.Id))
                    .Select(async lease =>
                    {
                        var urgent = lease with { Cause = order.Cause, Attempts = 0 };
                        if (!await revoker.KillAsync(urgent))
                        {
                            return false;
                        }

                        record.Died(lease.Id);
                        return true;
                    })
            );
            isGone &= Array.TrueForAll(killed, isDead => isDead);
            foreach (var lease in page.Unreadable.Where(lease => !record.IsDead(lease.Id)))
            {
                if (await revoker.KillAsync(lease))
                {
                    record.Died(lease.Id);
                }
                else
                {
                    isGone = false;
                }
            }

            next = page.Next;
        } while (next is not null);

        return isGone;
    }

    private async Task GoOnAsync(MissingRecord record)
    {
        while (missing.Find(record.Order.Id) is not null)
        {
            try
            {
                if (await KillAsync(record, CancellationToken.None))
                {
                    return;
                }
            }
            catch (Exception fault)
            {
                // Whatever it is: it is tried again until the order is on record, and then by those who read it there.
                LogInterrupted(logger, record.Order.Id, fault);
            }

            await Task.Delay(BetweenPasses, time);
        }
    }

    private async ValueTask CommitAsync(MissingRecord record, CancellationToken cancellationToken)
    {
        var together = record.With is { } hold
            ? new StateChange.All([hold, record.Ordered])
            : (StateChange)record.Ordered;
        if (await store.CommitAsync(together, cancellationToken) is CommitOutcome.GuardFailed)
        {
            // There are too many holds for one more; the order stands by itself. Whoever gave it was told that it holds.
            await store.CommitAsync(record.Ordered, cancellationToken);
            LogHoldLost(logger, record.Order.Id);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Order {RevocationId} of {Person} is carried out without its record, which the store did not take. Keep "
            + "the broker running until it does, or order it again."
    )]
    private static partial void LogMissing(ILogger logger, string revocationId, string person, Exception fault);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "The hold of order {RevocationId} is lost: as many holds are in force as there may be, and what it named "
            + "gets secrets again. Lift one, and place it anew: credbroker holds add"
    )]
    private static partial void LogHoldLost(ILogger logger, string revocationId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Order {RevocationId} is on record now.")]
    private static partial void LogRecorded(ILogger logger, string revocationId);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Killing for order {RevocationId} was interrupted; it is repeated."
    )]
    private static partial void LogInterrupted(ILogger logger, string revocationId, Exception fault);
}
