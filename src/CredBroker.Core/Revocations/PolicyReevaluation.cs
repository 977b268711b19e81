using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Tries the newest policy on every live lease, pending ones included, from the inputs stored with it; what it would no
/// longer allow is revoked, and what it would allow for less time ends earlier. No lease slips past: one that is
/// opened after the new version was applied is refused if an older version decided on it.
/// </summary>
public sealed class PolicyReevaluation(
    IBrokerStore store,
    PolicyControl policy,
    LeaseRevoker revoker,
    RevocationSignal signal
)
{
    private long _evaluated;

    /// <summary>
    /// One pass, if a version was applied since the last one that came to its end; always one after a start, because
    /// the last process may have been cut short.
    /// </summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        if (policy.Current is not { } active || active.Version == Volatile.Read(ref _evaluated))
        {
            return;
        }

        var fence = store.Position.Fence;
        StoreUnavailableException? refused = null;
        var ahead = ReadAsync(null, cancellationToken);
        try
        {
            while (ahead is not null)
            {
                // The next page is read while this one is tried: two are in memory, and what the newer of them says is
                // older by one page's work. It is the store's guards that go by what is true when it is changed.
                var page = await ahead;
                ahead = page.Next is null ? null : ReadAsync(page.Next, cancellationToken);
                var isAnyMarked = true;
                try
                {
                    isAnyMarked = await TryAsync(page, active, fence);
                }
                catch (StoreUnavailableException fault) when (store.Fault is null)
                {
                    // A row that the store refuses keeps no other from it; the pass is repeated as a whole.
                    refused = fault;
                }

                // Not for every page: looking for what is to be revoked where there is nothing costs a store that is far as
                // much as the page.
                if (isAnyMarked)
                {
                    signal.Raise();
                }
            }
        }
        finally
        {
            if (ahead is not null)
            {
                await ((Task)ahead).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        if (refused is not null)
        {
            throw new StoreUnavailableException("Not every lease could be tried on the new policy.", refused);
        }

        Volatile.Write(ref _evaluated, active.Version);
    }

    /// <summary>Beside the caller: SQLite reads, and every store parses, on the thread that asks.</summary>
    private Task<LeasePage> ReadAsync(string? after, CancellationToken cancellationToken) =>
        Task.Run(
            async () =>
                await store.Leases.ListAsync(
                    new()
                    {
                        States = LeaseStates.Live,
                        After = after,
                        Limit = 1000,
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Whether any is to be revoked now.</summary>
    private async Task<bool> TryAsync(LeasePage page, ActivePolicy active, long fence)
    {
        var marked = await Task.WhenAll([
            .. page
                .Leases.Where(lease => lease.Decision.PolicyVersion != active.Version)
                .Select(lease => ReevaluateAsync(lease, active, fence)),
            // What it was allowed for cannot be read: nothing allows it.
            .. page.Unreadable.Select(lease =>
                revoker.MarkAsync(lease, Changed($"unreadable, at version {active.Version}"), LeaseStates.Live).AsTask()
            ),
        ]);
        return Array.Exists(marked, isMarked => isMarked);
    }

    private static RevocationReason Changed(string rule) =>
        new(RevocationCause.PolicyChange, AuditActor.Broker("policy-reevaluation"), null, null, rule);

    private async Task<bool> ReevaluateAsync(Lease lease, ActivePolicy active, long fence)
    {
        var fate = LeaseFate.Of(lease, active.Set);
        if (fate.EndedBy is { } rule)
        {
            return await revoker.MarkAsync(lease, Changed($"{rule} of version {active.Version}"), LeaseStates.Live);
        }

        if (fate.EndsAt is { } end && lease.GraceUntil is { } grace)
        {
            await store.CommitAsync(
                new StateChange.LeaseRenewed
                {
                    LeaseId = lease.Id,
                    Fence = fence,
                    Opening = store.Position.Opening,
                    PolicyVersion = active.Version,
                    ExpiresAt = end,
                    GraceUntil = grace,
                    Event = LeaseRevoker.Event(
                        new LeaseShortened { ExpiresAt = end, PolicyVersion = active.Version },
                        lease,
                        AuditActor.Broker("policy-reevaluation")
                    ) with
                    {
                        Reason = "policy-change",
                    },
                },
                CancellationToken.None
            );
        }

        return false;
    }
}
