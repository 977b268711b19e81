using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Recovers leases whose issuance was cut short. Where another place in Vault is the store's, that is for the brokers that
/// are there.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class PendingReconcileJob(PendingReconcile reconcile, VaultCluster cluster) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        cluster.IsElsewhere ? default : reconcile.RunAsync(cancellationToken);
}
