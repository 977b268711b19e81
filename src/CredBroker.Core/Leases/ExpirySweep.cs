using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Ends leases whose time is over: it marks each as revoking at its end, and wakes the one that carries revocations out,
/// for which it does not wait. It runs each second and waits for those that end before the next run, so that a lease is
/// revoked when it ends and not up to a second later. A clock that fell back after a lease was activated does not keep
/// it past its end.
/// </summary>
public sealed class ExpirySweep(IBrokerStore store, LeaseRevoker revoker, RevocationSignal signal, TimeProvider time)
{
    private static readonly TimeSpan Horizon = TimeSpan.FromSeconds(1);
    private const int BatchSize = 500;

    /// <summary>What a firing could not end is tried by the next one, however much goes on becoming due.</summary>
    private static readonly TimeSpan LongestFiring = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long after its end a lease is marked, and marked again where the store says that it has not come: a timer may be
    /// early by some milliseconds, and the store's clock another's.
    /// </summary>
    private static readonly TimeSpan[] AfterEnd =
    [
        TimeSpan.FromMilliseconds(1),
        TimeSpan.FromMilliseconds(10),
        TimeSpan.FromMilliseconds(100),
    ];

    /// <summary>So many of one backend are being killed at once; the others are found again by a later firing.</summary>
    internal const int KillsOfABackend = 1_000;

    private static readonly RevocationReason Expiry = new(
        RevocationCause.Expiry,
        AuditActor.Broker("expiry-sweep"),
        null,
        null
    );

    private readonly ConcurrentDictionary<string, bool> _killed = new(StringComparer.Ordinal);

    /// <summary>
    /// Leases that are being killed while the store does not accept. Nobody waits for them: a backend that hangs would keep
    /// what is due behind them, and the next firings, for as long as it is let.
    /// </summary>
    private readonly ConcurrentDictionary<string, Task> _killing = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _rooms = new(StringComparer.Ordinal);

    /// <summary>How many are being killed, or were and no firing has looked since.</summary>
    internal int Killing => _killing.Count;

    /// <summary>One firing: works until nothing is due within the horizon, or for a while.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        foreach (var (leaseId, kill) in _killing)
        {
            if (kill.IsCompleted)
            {
                _killing.TryRemove(leaseId, out _);
                await kill;
            }
        }

        // What Vault has confirmed gone while the store takes nothing makes room for the others.
        if (store.Fault is null)
        {
            _killed.Clear();
        }

        // Each once in a firing: what the store refuses and its backend keeps holds up none that is due behind it.
        var (tried, began) = (new HashSet<string>(StringComparer.Ordinal), time.GetTimestamp());
        LeasePage due;
        do
        {
            due = await store.Leases.FindWorkAsync(
                LeaseWork.Expired,
                store.Position.UtcNow + Horizon,
                BatchSize,
                leaseId => !_killed.ContainsKey(leaseId) && !_killing.ContainsKey(leaseId) && !tried.Contains(leaseId),
                cancellationToken
            );
            tried.UnionWith(due.Leases.Select(lease => lease.Id));
            tried.UnionWith(due.Unreadable.Select(lease => lease.Id));
            await Task.WhenAll([
                .. due.Leases.Select(lease => EndAsync(lease, cancellationToken)),
                .. due.Unreadable.Select(EndAsync),
            ]);
        } while (due.Leases.Count >= BatchSize && time.GetElapsedTime(began) < LongestFiring);
    }

    /// <summary>Its end cannot be told, but by the store: one that comes within the horizon is found again after it.</summary>
    private async Task EndAsync(UnreadableLease lease)
    {
        try
        {
            if (await revoker.MarkAsync(lease, Expiry, [LeaseState.Active]))
            {
                signal.Raise();
            }
        }
        catch (StoreUnavailableException)
        {
            Kill(lease.Id, lease.Backend, async () => await revoker.KillAsync(lease, RevocationLane.Ending));
        }
    }

    /// <summary>Ends the lease when its time comes.</summary>
    private async Task EndAsync(Lease lease, CancellationToken cancellationToken)
    {
        try
        {
            // The claim's guard is "its end is not ahead of the store's clock", and it may have been renewed meanwhile.
            foreach (var after in AfterEnd)
            {
                while (lease.ExpiresAt + after - store.Position.NowFor(lease) is { } early && early > TimeSpan.Zero)
                {
                    if (early > Horizon + after)
                    {
                        // The clock was repaired meanwhile, and the lease has another end by it: it is found again.
                        return;
                    }

                    // Of whole milliseconds: a timer has no others.
                    await Task.Delay(
                        TimeSpan.FromMilliseconds(Math.Ceiling(early.TotalMilliseconds)),
                        time,
                        cancellationToken
                    );
                }

                if (await revoker.MarkAsync(lease, Expiry, [LeaseState.Active]))
                {
                    signal.Raise();
                    return;
                }

                // Only what is there still, with the end that it had, was asked for too early.
                if (
                    await store.Leases.FindAsync(lease.Id, cancellationToken) is not { State: LeaseState.Active } now
                    || now.ExpiresAt != lease.ExpiresAt
                )
                {
                    return;
                }
            }
        }
        catch (StoreUnavailableException)
        {
            // Its end was promised when it was issued. The store will say so when it accepts again; the secret does not
            // wait for that.
            Kill(
                lease.Id,
                lease.Grant.Entry.Backend,
                async () =>
                {
                    if (await revoker.KillAsync(lease) && store.Fault is not null)
                    {
                        _killed[lease.Id] = true;
                    }
                }
            );
        }
    }

    /// <summary>
    /// The next firing that finds it over hears how it went. However many end, what waits for one backend stays bounded.
    /// </summary>
    private void Kill(string leaseId, string backend, Func<Task> kill)
    {
        var room = _rooms.GetOrAdd(backend, static _ => new(KillsOfABackend));
        if (room.Wait(0))
        {
            _killing[leaseId] = KillAsync();
        }

        async Task KillAsync()
        {
            try
            {
                await kill();
            }
            finally
            {
                room.Release();
            }
        }
    }
}
