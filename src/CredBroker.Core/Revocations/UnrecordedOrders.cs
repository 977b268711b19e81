using System.Text.Json;
using CredBroker.Core.Leases;
using CredBroker.Core.Readiness;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Carries out a person's orders that the store did not take: kills at Vault what the store last knew, and for one that
/// reaches everything also what it does not know. Nothing of that is ever called complete; once the store takes the
/// order, it is carried out as any other, which confirms lease by lease what is dead already. Of a hold there is nothing
/// to carry out: <see cref="MissingRecords"/> keeps everything from being issued until it is on record.
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
    /// <summary>How many kills of one order wait for their backends' places, or for Vault, at once.</summary>
    private const int KillsAtOnce = 1_000;

    private static readonly TimeSpan BetweenPasses = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Keeps what was ordered and begins to kill. False where there are too many already. What it comes to is
    /// <see cref="KillAsync"/>'s, of which nobody has to wait.
    /// </summary>
    internal bool TryBegin(MissingRecord record, Exception fault)
    {
        if (!missing.TryKeep(record))
        {
            return false;
        }

        LogMissing(logger, record.Id, record.OrderedBy, fault);
        _ = Task.Run(() => GoOnAsync(record));
        return true;
    }

    /// <summary>
    /// One for which there is no room any more: a kill is a kill, so it is carried out once, here and now, and whoever
    /// ordered it is told that it is not kept.
    /// </summary>
    internal async Task<OrderNotKeptException> CarryOutOnceAsync(MissingRecord record, StoreUnavailableException fault)
    {
        var selector = JsonSerializer.Serialize(record.Order!.Selector, StateJson.Default.LeaseSelector);
        LogNotKept(logger, record.Id, record.OrderedBy, selector, fault);
        // Whoever gives up waiting has ordered it all the same.
        var areGone = await KillAsync(record, CancellationToken.None);
        LogCarriedOut(logger, record.Id, record.Dead, areGone);
        return new(record.Dead, areGone, fault);
    }

    /// <summary>Puts on record what the store takes now. One that it refuses keeps no other waiting.</summary>
    public async ValueTask RecordAsync(CancellationToken cancellationToken)
    {
        foreach (var record in missing.All)
        {
            try
            {
                // What is said to have failed may have been committed. No guard keeps it out: it was promised.
                if (!await IsThereAsync(record, cancellationToken))
                {
                    await store.CommitAsync(record.Change, cancellationToken);
                }
            }
            catch (StoreUnavailableException fault)
            {
                if (store.Fault is not null)
                {
                    // It says so itself.
                    return;
                }

                LogNotRecorded(logger, record.Id, fault);
                continue;
            }

            missing.Recorded(record.Id);
            LogRecorded(logger, record.Id);
            signal.Raise();
        }
    }

    /// <summary>
    /// One pass of killing: whether nothing is left of what is known. Known leases come first, each at its own backend;
    /// what no record knows second, without waiting for a backend that does not answer.
    /// </summary>
    public async Task<bool> KillAsync(MissingRecord record, CancellationToken cancellationToken)
    {
        if (record.Order is not { } order)
        {
            return true;
        }

        var killing = new List<Task<bool>>();
        try
        {
            await BeginKnownAsync(record, order, killing, cancellationToken);
        }
        catch (StoreUnavailableException fault)
        {
            // What it cannot read is known to nobody, and so one of those that no record knows.
            LogInterrupted(logger, order.Id, fault);
            killing.Add(Task.FromResult(false));
        }

        if (order.Selector.Everything)
        {
            killing.Add(KillStraysAsync());
        }

        return Array.TrueForAll(await Task.WhenAll(killing), isGone => isGone);

        async Task<bool> KillStraysAsync() => (await strays.RunAsync(order.RequestedAt, cancellationToken)).AreGone;
    }

    /// <summary>Begins to kill each lease that is known, in the order of the store's pages.</summary>
    private async Task BeginKnownAsync(
        MissingRecord record,
        RevocationOrder order,
        List<Task<bool>> killing,
        CancellationToken cancellationToken
    )
    {
        var room = new SemaphoreSlim(KillsAtOnce);
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
            foreach (var lease in page.Leases.Where(lease => lease.Reach != Policy.RevocationReach.None))
            {
                var urgent = lease with { Cause = order.Cause, Attempts = 0 };
                await BeginAsync(lease.Id, () => revoker.KillAsync(urgent));
            }

            foreach (var lease in page.Unreadable)
            {
                await BeginAsync(lease.Id, () => revoker.KillAsync(lease, RevocationLane.Emergency));
            }

            next = page.Next;
        } while (next is not null);

        async ValueTask BeginAsync(string leaseId, Func<ValueTask<bool>> kill)
        {
            if (!record.IsDead(leaseId))
            {
                await room.WaitAsync(cancellationToken);
                killing.Add(KillAsync(leaseId, kill));
            }
        }

        async Task<bool> KillAsync(string leaseId, Func<ValueTask<bool>> kill)
        {
            try
            {
                if (!await kill())
                {
                    return false;
                }

                record.Died(leaseId);
                return true;
            }
            finally
            {
                room.Release();
            }
        }
    }

    private async Task GoOnAsync(MissingRecord record)
    {
        while (missing.Find(record.Id) is not null)
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
                LogInterrupted(logger, record.Id, fault);
            }

            await Task.Delay(BetweenPasses, time);
        }
    }

    private async ValueTask<bool> IsThereAsync(MissingRecord record, CancellationToken cancellationToken) =>
        record.Order is { } order
            ? await store.Revocations.FindAsync(order.Id, cancellationToken) is not null
            : await store.Holds.FindAsync(record.Id, cancellationToken) is not null;

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Order {Id} of {Person} is carried out without its record, which the store did not take. Keep the "
            + "broker running until it does, or order it again."
    )]
    private static partial void LogMissing(ILogger logger, string id, string person, Exception fault);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Order {Id} of {Person} to revoke {Selector} is carried out once and not kept: the store did not take it, "
            + "and too many wait for that already. This line is its only record."
    )]
    private static partial void LogNotKept(ILogger logger, string id, string person, string selector, Exception fault);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Order {Id} was carried out once: {Dead} leases are gone at Vault, all that it reaches: {AreGone}."
    )]
    private static partial void LogCarriedOut(ILogger logger, string id, int dead, bool areGone);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Order {Id} is on record now.")]
    private static partial void LogRecorded(ILogger logger, string id);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Order {Id} could not be put on record; nothing is issued until it is, and it is tried again."
    )]
    private static partial void LogNotRecorded(ILogger logger, string id, Exception fault);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Killing for order {RevocationId} was interrupted; it is repeated."
    )]
    private static partial void LogInterrupted(ILogger logger, string revocationId, Exception fault);
}
