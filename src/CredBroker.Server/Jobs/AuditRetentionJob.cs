using CredBroker.Core.Readiness;
using CredBroker.Core.Retention;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Moves audit records that are old enough from the store into files. Not from a store that is behind its anchor: should it
/// be replaced by the right one, that one would not know the files.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class AuditRetentionJob(AuditRetention retention, AnchorCheck anchor) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        anchor.Finding is { IsStoreBehind: true } ? default : retention.RunAsync(cancellationToken);
}
