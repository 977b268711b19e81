using CredBroker.Core.Revocations;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Carries on with revocations that are not confirmed.</summary>
[DisallowConcurrentExecution]
internal sealed class RevocationRetryJob(RevocationRun retry) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        retry.RunAsync(cancellationToken);
}
