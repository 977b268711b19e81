using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Revokes leases whose time is over. Where another place in Vault is the store's, that is for the brokers that are there.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class ExpirySweepJob(ExpirySweep sweep, VaultCluster cluster) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        cluster.IsElsewhere ? default : sweep.RunAsync(cancellationToken);
}
