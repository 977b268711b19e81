using CredBroker.Core.Leases;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Revokes leases whose time is over.</summary>
[DisallowConcurrentExecution]
internal sealed class ExpirySweepJob(ExpirySweep sweep) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        sweep.RunAsync(cancellationToken);
}
