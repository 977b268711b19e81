using CredBroker.Core.Leases;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Revokes the few secrets that no record knows, once after a start.</summary>
[DisallowConcurrentExecution]
internal sealed class StrayRecoveryJob(StrayRecovery recovery) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        recovery.RunAsync(cancellationToken);
}
