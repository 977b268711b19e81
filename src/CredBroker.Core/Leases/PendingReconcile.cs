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
        var isTaken = true;
        do
        {
            overdue = await store.Leases.FindWorkAsync(
                LeaseWork.PendingPastDeadline,
                store.Position.UtcNow,
                BatchSize,
                static _ => true,
                cancellationToken
            );
            await Parallel.ForEachAsync(
                overdue.Leases,
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = options.RevocationParallelism,
                    CancellationToken = cancellationToken,
                },
                async (lease, _) =>
                {
                    try
                    {
                        await revoker.RevokeAsync(lease, Recovery, [LeaseState.Pending]);
                    }
                    catch (StoreUnavailableException)
                    {
                        // Its accessor does not wait until the store accepts again, which recovers it then.
                        Volatile.Write(ref isTaken, false);
                        await revoker.KillAsync(lease);
                    }
                }
            );
            if (isTaken)
            {
                foreach (var lease in overdue.Unreadable)
                {
                    await revoker.MarkAsync(lease, Recovery, [LeaseState.Pending]);
                }
            }
        } while (isTaken && overdue.Leases.Count == BatchSize);
    }
}
