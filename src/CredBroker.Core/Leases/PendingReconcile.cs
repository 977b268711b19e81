using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Recovers what a crash or a lost reply left pending past its deadline: its accessor is revoked at once, and a later
/// sweep proves that nothing was made.
/// </summary>
public sealed class PendingReconcile(IBrokerStore store, LeaseRevoker revoker, LeaseOptions options)
{
    private const int BatchSize = 500;

    private static readonly RevocationReason Recovery = new(
        RevocationCause.Recovery,
        AuditActor.Broker("pending-reconcile"),
        null,
        null
    );

    /// <summary>One firing: works until nothing is past its deadline.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        LeasePage overdue;
        do
        {
            overdue = await store.Leases.FindWorkAsync(
                LeaseWork.PendingPastDeadline,
                store.Position.UtcNow,
                BatchSize,
                cancellationToken
            );
            foreach (var lease in overdue.Unreadable)
            {
                await revoker.MarkAsync(lease, Recovery, [LeaseState.Pending]);
            }

            await Parallel.ForEachAsync(
                overdue.Leases,
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = options.RevocationParallelism,
                    CancellationToken = cancellationToken,
                },
                async (lease, _) => await revoker.RevokeAsync(lease, Recovery, [LeaseState.Pending])
            );
        } while (overdue.Leases.Count == BatchSize);
    }
}
