using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Revokes leases whose time is over. It runs each second and waits for those that end before the next run, so that a
/// lease is revoked when it ends and not up to a second later. A clock that fell back after a lease was activated does
/// not keep it past its end.
/// </summary>
public sealed class ExpirySweep(IBrokerStore store, LeaseRevoker revoker, LeaseOptions options, TimeProvider time)
{
    private static readonly TimeSpan Horizon = TimeSpan.FromSeconds(1);
    private const int BatchSize = 500;

    private static readonly RevocationReason Expiry = new(
        RevocationCause.Expiry,
        AuditActor.Broker("expiry-sweep"),
        null,
        null
    );

    /// <summary>One firing: works until nothing is due within the horizon.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Lease> due;
        var storeIsLost = false;
        do
        {
            due = await store.Leases.FindWorkAsync(
                LeaseWork.Expired,
                store.Position.UtcNow + Horizon,
                BatchSize,
                cancellationToken
            );
            await Parallel.ForEachAsync(
                due,
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = options.RevocationParallelism,
                    CancellationToken = cancellationToken,
                },
                async (lease, stopping) =>
                {
                    // The claim's guard is "its end is not ahead of the store's clock": a millisecond more and it
                    // surely is not.
                    if (
                        lease.ExpiresAt + TimeSpan.FromMilliseconds(1) - store.Position.NowFor(lease) is { } early
                        && early > TimeSpan.Zero
                    )
                    {
                        await Task.Delay(early, time, stopping);
                    }

                    try
                    {
                        await revoker.RevokeAsync(lease, Expiry, [LeaseState.Active]);
                    }
                    catch (StoreUnavailableException)
                    {
                        // Its end was promised when it was issued. The store will say so when it accepts again; the
                        // secret does not wait for that.
                        await revoker.KillAsync(
                            lease,
                            new(lease.VaultLeaseId, lease.CredentialAccessor, lease.PublicName)
                        );
                        storeIsLost = true;
                    }
                }
            );
        } while (due.Count == BatchSize && !storeIsLost);
    }
}
