using CredBroker.Core.Leases;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Recovers leases whose issuance was cut short.</summary>
[DisallowConcurrentExecution]
internal sealed class PendingReconcileJob(PendingReconcile reconcile) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        reconcile.RunAsync(cancellationToken);
}
