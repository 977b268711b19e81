using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Carries out revocations, at first and again until each is confirmed: it finds the leases that orders reach
/// (<see cref="OrderEnumeration"/>); begins those that nobody is working on, at each backend as many as may be open there,
/// the most urgent lane first; and has absence proven. It waits for none of them, so that a backend that is away holds
/// up no other. All that it needs is in the store, so that it goes on where a crash cut it short.
/// </summary>
public sealed partial class RevocationRun(
    IBrokerStore store,
    LeaseRevoker revoker,
    RevocationBulkheads bulkheads,
    RevocationPace pace,
    AbsenceSweep absence,
    AbsenceWait wait,
    StrayKill strays,
    RevocationSignal signal,
    LeaseOptions options,
    TimeProvider time,
    ILogger<RevocationRun> logger
)
{
    private readonly OrderEnumeration _orders = new(store, revoker, strays, signal, new(signal, time, logger), logger);

    // What Vault has confirmed gone while the store takes nothing: the others come first.
    private readonly ConcurrentDictionary<string, bool> _killed = new(StringComparer.Ordinal);

    /// <summary>
    /// One pass: enumerates open orders and begins what is due and has room. Called by one alone; each attempt that
    /// comes to its end raises the signal for the next pass. What is under way when it returns.
    /// </summary>
    public async ValueTask<IReadOnlyCollection<Task>> PassAsync(CancellationToken cancellationToken)
    {
        _orders.UnderWay.Tidy();
        if (store.Fault is null)
        {
            _killed.Clear();
        }

        await _orders.RunAsync(cancellationToken);
        foreach (var work in await store.Leases.FindRevocationWorkAsync(store.Position.Counted, cancellationToken))
        {
            await BeginAsync(work, _orders.UnderWay.IsFree(work.Backend), cancellationToken);
        }

        return _orders.UnderWay.Attempts;
    }

    /// <summary>Passes until nothing is open, due or under way but what has to wait for its time.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        // What a pass found no room for is due still when all that it found under way has ended meanwhile.
        bool isUnderWay;
        do
        {
            var (begun, before) = (_orders.UnderWay.Begun, _orders.UnderWay.Attempts.Count);
            var underWay = await PassAsync(cancellationToken);
            isUnderWay = underWay.Count + before > 0 || _orders.UnderWay.Begun > begun;
            if (underWay.Count > 0)
            {
                await Task.WhenAny(underWay);
            }
        } while (isUnderWay || await _orders.IsOpenAsync(cancellationToken));
    }

    private async ValueTask BeginAsync(BackendWork work, bool maySweep, CancellationToken cancellationToken)
    {
        var (line, allowed) = (bulkheads.LineOf(work.Backend), bulkheads.Of(work.Backend).Allowed);
        var room = allowed <= 1 && !line.IsIdle ? 0 : Math.Min(allowed, line.Room((int)work.Lane));
        if (room == 0)
        {
            return;
        }

        // What is at work already takes no place of what could begin: what waits for its turn in this lane or a more urgent
        // one and, while a sweep is under way, what that or the next one is to prove.
        var due = await store.Leases.FindRevocationsAsync(
            work,
            store.Position.Counted,
            room + options.RevocationParallelism,
            maySweep,
            leaseId =>
                !_orders.UnderWay.IsPaused(leaseId)
                && !_orders.UnderWay.IsBegun(leaseId, (int)work.Lane)
                && !_killed.ContainsKey(leaseId),
            cancellationToken
        );
        foreach (var lease in due.Leases.Where(lease => !lease.AwaitsProof))
        {
            Begin(
                lease.Id,
                (turn, hurried) =>
                {
                    pace.Begin(work.Backend, LatenessOf(lease));
                    return revoker
                        .RevokeAsync(lease, AsOrdered(lease), [LeaseState.Revoking, LeaseState.Failed], turn, hurried)
                        .AsTask();
                },
                () => revoker.KillAsync(lease).AsTask()
            );
        }

        foreach (var lease in due.Unreadable)
        {
            Begin(
                lease.Id,
                (turn, _) => revoker.RevokeAsync(lease, work.Lane, turn).AsTask(),
                () => revoker.KillAsync(lease, work.Lane).AsTask()
            );
        }

        // One sweep at a time for each backend. Time alone makes a proof ripe.
        var ripe = new List<Lease>();
        foreach (var lease in due.Leases.Where(lease => lease.AwaitsProof))
        {
            if (wait.IsOver(lease))
            {
                ripe.Add(lease);
            }
            else
            {
                // Due by a clock that is ahead: until it is ripe it takes no place of another.
                _orders.UnderWay.Pause(lease.Id);
            }
        }

        if (ripe.Count > 0 && maySweep)
        {
            _orders.UnderWay.Begin(work.Backend, () => ProveAsync(ripe, cancellationToken));
            // Now what they took the places of.
            await BeginAsync(work, maySweep: false, cancellationToken);
        }

        void Begin(string leaseId, Func<Bulkhead.Pass, CancellationToken, Task> revoke, Func<Task<bool>> kill)
        {
            // What waits for a turn in a later lane is begun anew in this one, which its end gives the signal for.
            _orders.UnderWay.Hurry(leaseId, (int)work.Lane);
            if (room > 0 && _orders.UnderWay.IsFree(leaseId))
            {
                // Counted there from now on, so that the next pass does not take its turn for free.
                var waiting = new CancellationTokenSource();
                var entering = line.EnterAsync((int)work.Lane, waiting.Token).AsTask();
                room--;
                _orders.UnderWay.Begin(
                    leaseId,
                    () => RevokeAsync(leaseId, work.Backend, entering, turn => revoke(turn, waiting.Token), kill),
                    (int)work.Lane,
                    waiting,
                    // While enough wait for a turn, a pass finds out nothing that is of use, but where this is to be begun anew.
                    isPassDue: () => waiting.IsCancellationRequested || line.Room((int)work.Lane) > 0
                );
            }
        }
    }

    private async Task ProveAsync(IReadOnlyList<Lease> ripe, CancellationToken cancellationToken)
    {
        foreach (var leaseId in await absence.RunAsync(ripe, cancellationToken))
        {
            _orders.UnderWay.Pause(leaseId, options.RetryDelayLimit);
        }
    }

    private async Task RevokeAsync(
        string leaseId,
        string backend,
        Task<Bulkhead.Pass?> entering,
        Func<Bulkhead.Pass, Task> revoke,
        Func<Task<bool>> kill
    )
    {
        // The turn first, then the claim, then a place at the backend. Nothing is claimed for one that is away by now.
        using var turn = await entering;
        if (turn is null || bulkheads.Of(backend).Allowed == 0)
        {
            return;
        }

        try
        {
            await revoke(turn);
            pace.End(backend);
        }
        catch (StoreUnavailableException fault)
        {
            // The secret does not wait for the store. Its end is confirmed and put on record when that takes it.
            LogNotOnRecord(logger, leaseId, fault);
            if (await kill() && store.Fault is not null)
            {
                _killed[leaseId] = true;
            }

            _orders.UnderWay.Pause(leaseId, options.RetryDelayLimit);
        }
    }

    /// <summary>How late the first attempt is; a repeated one waits for its own time, and not for others.</summary>
    private TimeSpan LatenessOf(Lease lease)
    {
        var due = lease.Cause == RevocationCause.Expiry ? lease.ExpiresAt : lease.RevocationRequestedAt;
        return lease.Lane == RevocationLane.Retry || due is null
            ? TimeSpan.Zero
            : store.Position.NowFor(lease) - due.Value;
    }

    /// <summary>Cause and requester were set by the first claim and stay.</summary>
    private static RevocationReason AsOrdered(Lease lease) =>
        new(lease.Cause ?? RevocationCause.Recovery, AuditActor.Broker("revocation-retry"), lease.RevocationId, null)
        {
            RequestedBy = lease.RequestedBy,
        };

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The store does not take the revocation of lease {LeaseId}; its secret is revoked at Vault all the same."
    )]
    private static partial void LogNotOnRecord(ILogger logger, string leaseId, Exception fault);
}
