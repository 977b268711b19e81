using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Carries out revocations, at first and again until each is confirmed: it finds the leases that orders reach, people's
/// orders before closed tasks; begins those that nobody is working on, at each backend as many as may be open there,
/// the most urgent lane first; and has absence proven. It waits for none of them, so that a backend that is away holds
/// up no other. All that it needs is in the store, so that it goes on where a crash cut it short.
/// </summary>
public sealed partial class RevocationRun(
    IBrokerStore store,
    LeaseRevoker revoker,
    RevocationBulkheads bulkheads,
    AbsenceSweep absence,
    StrayKill strays,
    RevocationSignal signal,
    LeaseOptions options,
    ILogger<RevocationRun> logger
)
{
    /// <summary>How many orders one pass enumerates, so that a newer one of a person is soon seen.</summary>
    private const int OrdersAtOnce = 32;

    /// <summary>
    /// How many leases of one order wait for the store's writer at once: with as many orders they are half of what may
    /// wait there, so that the closes of one agent keep nobody else's change out.
    /// </summary>
    private const int MarksAtOnce = 64;

    private static readonly TimeSpan BetweenStrayKills = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Task> _underWay = new(StringComparer.Ordinal);

    // By the order that reaches everything: when what no record knows is looked for next; null once none is left.
    private readonly ConcurrentDictionary<string, DateTimeOffset?> _strays = new(StringComparer.Ordinal);

    /// <summary>
    /// One pass: enumerates open orders and begins what is due and has room. Called by one alone; each attempt that
    /// comes to its end raises the signal for the next pass. What is under way when it returns.
    /// </summary>
    public async ValueTask<IReadOnlyCollection<Task>> PassAsync(CancellationToken cancellationToken)
    {
        var orders = await store.Revocations.FindOpenAsync(OrdersAtOnce, cancellationToken);

        // Together: the store's writer makes one commit of what waits for it. A person's order does not wait for that.
        var open = orders.Where(order => !AwaitsStrays(order, cancellationToken)).ToList();
        var isPersons = open.Exists(order => order.Cause != RevocationCause.TaskClosed);
        var now = isPersons ? open.Where(order => order.Cause != RevocationCause.TaskClosed) : open;
        await Task.WhenAll(now.Select(order => EnumerateAsync(order, cancellationToken)));
        if (isPersons || open.Count == OrdersAtOnce)
        {
            signal.Raise();
        }

        foreach (var work in await store.Leases.FindRevocationWorkAsync(store.Position.UtcNow, cancellationToken))
        {
            await BeginAsync(work, cancellationToken);
        }

        return [.. _underWay.Values];
    }

    /// <summary>Passes until nothing is open, due or under way.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        while (
            await PassAsync(cancellationToken) is var underWay && underWay.Count > 0
            || (await store.Revocations.FindOpenAsync(1, cancellationToken)).Count > 0
        )
        {
            if (underWay.Count > 0)
            {
                await Task.WhenAny(underWay);
            }
        }
    }

    private async ValueTask BeginAsync(BackendWork work, CancellationToken cancellationToken)
    {
        var bulkhead = bulkheads.Of(work.Backend);
        if (bulkhead.Room((int)work.Lane) is var room && room == 0)
        {
            return;
        }

        // Some of those that are found may just be under way, their claim not committed yet.
        var due = await store.Leases.FindRevocationsAsync(
            work,
            store.Position.UtcNow,
            room + options.RevocationParallelism,
            cancellationToken
        );
        foreach (var lease in due.Where(lease => !AwaitsProof(lease)))
        {
            if (room == 0)
            {
                break;
            }

            if (!_underWay.ContainsKey(lease.Id))
            {
                // Counted there from now on, so that the next pass does not take its place for free.
                var entering = bulkhead.EnterAsync((int)work.Lane, CancellationToken.None).AsTask();
                room--;
                Begin(lease.Id, () => RevokeAsync(lease, entering));
            }
        }

        // One sweep at a time for each backend. Time alone makes a proof ripe.
        var ripe = due.Where(lease =>
                AwaitsProof(lease) && lease.AccessorRevokedAt + options.VaultRequestLimit <= store.Position.UtcNow
            )
            .ToList();
        if (ripe.Count > 0 && !_underWay.ContainsKey(work.Backend))
        {
            Begin(work.Backend, () => absence.RunAsync(ripe, cancellationToken).AsTask());
        }
    }

    private void Begin(string key, Func<Task> attempt)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _underWay[key] = ended.Task;
        _ = Task.Run(async () =>
        {
            try
            {
                await attempt();
                signal.Raise();
            }
            catch (Exception fault)
            {
                // Whatever it is: the lease is still due in the store, or its claim lapses. The next second's signal
                // repeats it; at once would be a loop while the store takes nothing.
                LogInterrupted(logger, key, fault);
            }
            finally
            {
                _underWay.TryRemove(key, out _);
                ended.SetResult();
            }
        });
    }

    private async Task RevokeAsync(Lease lease, Task<Bulkhead.Pass?> entering)
    {
        // The place first and the claim second: a claim that waits keeps others off for nothing.
        using var pass = await entering;
        if (pass is not null)
        {
            await revoker.RevokeAsync(lease, AsOrdered(lease), [LeaseState.Revoking, LeaseState.Failed], pass);
        }
    }

    /// <summary>
    /// Marks every lease that the order reaches as revoking. None is missed: a lease that was opened before the order is
    /// found here, and one that would be opened after it is refused by the store, to which the order is a fence. What is
    /// revoking or failed already is reached, too: its secret may still work, so the order waits for it.
    /// </summary>
    private async Task EnumerateAsync(RevocationOrder order, CancellationToken cancellationToken)
    {
        var reason = new RevocationReason(order.Cause, AuditActor.Broker("revocation"), order.Id, null)
        {
            RequestedBy = order.RequestedBy,
        };
        string? next = null;
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
            await Task.WhenAll(
                page.Leases.Select(lease => revoker.MarkAsync(lease, reason, LeaseStates.NotOver).AsTask())
            );
            next = page.Next;
        } while (next is not null);

        if (order.Selector.Everything && order.Cause != RevocationCause.TaskClosed)
        {
            if (!_strays.TryGetValue(order.Id, out var due))
            {
                // Everything is more than what is known here: the order stays open until that is gone as well.
                _strays[order.Id] = DateTimeOffset.MinValue;
                return;
            }

            if (due is not null)
            {
                return;
            }
        }

        await store.CommitAsync(
            new StateChange.RevocationEnumerated
            {
                RevocationId = order.Id,
                Event = new()
                {
                    What = new RevocationEnumerated(),
                    Actor = AuditActor.Broker("revocation"),
                    RevocationId = order.Id,
                },
            },
            cancellationToken
        );
        _strays.TryRemove(order.Id, out _);
    }

    /// <summary>
    /// Whether the order's known leases are marked and what no record knows is still being looked for, which is begun
    /// here when it is due.
    /// </summary>
    private bool AwaitsStrays(RevocationOrder order, CancellationToken cancellationToken)
    {
        if (!_strays.TryGetValue(order.Id, out var due) || due is null)
        {
            return false;
        }

        if (due <= store.Position.UtcNow && !_underWay.ContainsKey(order.Id))
        {
            Begin(
                order.Id,
                async () =>
                    _strays[order.Id] = await strays.RunAsync(order.RequestedAt, cancellationToken)
                        ? null
                        : store.Position.UtcNow + BetweenStrayKills
            );
        }

        return true;
    }

    private static bool AwaitsProof(Lease lease) =>
        lease is { VaultLeaseId: null, CredentialAccessor: null, AccessorRevokedAt: not null };

    /// <summary>Cause and requester were set by the first claim and stay.</summary>
    private static RevocationReason AsOrdered(Lease lease) =>
        new(lease.Cause ?? RevocationCause.Recovery, AuditActor.Broker("revocation-retry"), lease.RevocationId, null)
        {
            RequestedBy = lease.RequestedBy,
        };

    [LoggerMessage(Level = LogLevel.Error, Message = "An attempt to revoke ({Key}) was interrupted; it is repeated.")]
    private static partial void LogInterrupted(ILogger logger, string key, Exception fault);
}
