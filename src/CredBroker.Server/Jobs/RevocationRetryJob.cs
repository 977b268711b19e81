using CredBroker.Core.Leases;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Has revocations that are not confirmed carried on with: attempts become due by time alone.</summary>
[DisallowConcurrentExecution]
internal sealed class RevocationRetryJob(RevocationSignal signal) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        signal.Raise();
        return default;
    }
}
