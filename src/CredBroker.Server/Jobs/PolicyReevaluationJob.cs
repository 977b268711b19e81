using CredBroker.Core.Revocations;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Revokes what the newest policy no longer allows. A new version fires it at once, the interval is a safety net.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class PolicyReevaluationJob(PolicyReevaluation reevaluation) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        reevaluation.RunAsync(cancellationToken);
}
