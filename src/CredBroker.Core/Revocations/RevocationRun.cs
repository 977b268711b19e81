using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Carries out revocations, at first and again until each is confirmed: it finds the leases that an order reaches,
/// revokes those that nobody is working on, repeats attempts whose time has come, and has absence proven. All that it
/// needs is in the store, so that it goes on where a crash cut it short.
/// </summary>
public sealed class RevocationRun(IBrokerStore store, LeaseRevoker revoker, AbsenceSweep absence, LeaseOptions options)
{
    private const int BatchSize = 500;

    /// <summary>One firing: works until nothing is due. Several may run at once; claims divide the work.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        foreach (var order in await store.Revocations.FindOpenAsync(cancellationToken))
        {
            await EnumerateAsync(order, cancellationToken);
        }

        IReadOnlyList<Lease> due;
        do
        {
            due = await store.Leases.FindWorkAsync(
                LeaseWork.RevocationDue,
                store.Position.UtcNow,
                BatchSize,
                cancellationToken
            );

            // Revoking first: an emergency does not wait for a sweep.
            await Parallel.ForEachAsync(
                due.Where(lease => !AwaitsProof(lease)),
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = options.RevocationParallelism,
                    CancellationToken = cancellationToken,
                },
                async (lease, _) =>
                    await revoker.RevokeAsync(lease, AsOrdered(lease), [LeaseState.Revoking, LeaseState.Failed])
            );
            await absence.RunAsync([.. due.Where(AwaitsProof)], cancellationToken);
        } while (due.Count == BatchSize);
    }

    /// <summary>
    /// Marks every lease that the order reaches as revoking. None is missed: a lease that was opened before the order is
    /// found here, and one that would be opened after it is refused by the store, to which the order is a fence. What is
    /// revoking or failed already is reached, too: its secret may still work, so the order waits for it.
    /// </summary>
    private async ValueTask EnumerateAsync(RevocationOrder order, CancellationToken cancellationToken)
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
                    Limit = 1000,
                },
                cancellationToken
            );

            // All at once: the store's writer makes one commit of what waits for it.
            await Task.WhenAll(
                page.Leases.Select(lease => revoker.MarkAsync(lease, reason, LeaseStates.NotOver).AsTask())
            );
            next = page.Next;
        } while (next is not null);

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
    }

    private static bool AwaitsProof(Lease lease) =>
        lease is { VaultLeaseId: null, CredentialAccessor: null, AccessorRevokedAt: not null };

    /// <summary>Cause and requester were set by the first claim and stay.</summary>
    private static RevocationReason AsOrdered(Lease lease) =>
        new(lease.Cause ?? RevocationCause.Recovery, AuditActor.Broker("revocation-retry"), lease.RevocationId, null)
        {
            RequestedBy = lease.RequestedBy,
        };
}
