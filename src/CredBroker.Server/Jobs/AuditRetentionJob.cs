using CredBroker.Core.Retention;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Moves audit records that are old enough from the store into files.</summary>
[DisallowConcurrentExecution]
internal sealed class AuditRetentionJob(AuditRetention retention) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        retention.RunAsync(cancellationToken);
}
