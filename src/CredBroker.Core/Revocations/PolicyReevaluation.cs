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
    private const int PageSize = 1_000;

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
        // At two places at once, because a page is as much work for the store as for whoever tries it: two are in memory.
        await Parallel.ForEachAsync(
            await FindPagesAsync(cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = cancellationToken },
            async (range, stopping) =>
            {
                // What was opened late, with an id from long ago, may make more than one page of it.
                for (var rest = range; rest is not null; )
                {
                    var page = await store.Leases.ListAsync(rest, stopping);
                    rest = page.Next is null ? null : rest with { After = page.Next };
                    var isAnyMarked = true;
                    try
                    {
                        isAnyMarked = await TryAsync(page, active, fence);
                    }
                    catch (StoreUnavailableException fault) when (store.Fault is null)
                    {
                        // A row that the store refuses keeps no other from it; the pass is repeated as a whole.
                        Volatile.Write(ref refused, fault);
                    }

                    // Not for every page: looking for what is to be revoked where there is nothing costs a store that is
                    // far as much as the page.
                    if (isAnyMarked)
                    {
                        signal.Raise();
                    }
                }
            }
        );

        if (refused is not null)
        {
            throw new StoreUnavailableException("Not every lease could be tried on the new policy.", refused);
        }

        Volatile.Write(ref _evaluated, active.Version);
    }

    /// <summary>All that lives, in parts of a page each, newest first.</summary>
    private async ValueTask<IEnumerable<LeaseQuery>> FindPagesAsync(CancellationToken cancellationToken)
    {
        var ends = await store.Leases.FindPageEndsAsync(PageSize, cancellationToken);
        return ends.Append(null)
            .Zip(
                ends.Prepend(null),
                (until, after) =>
                    new LeaseQuery
                    {
                        States = LeaseStates.Live,
                        After = after,
                        Until = until,
                        Limit = PageSize,
                    }
            );
    }

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
