using CredBroker.Core.Approvals;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Closes the questions to people whose time is over, and takes back those that no longer hold.</summary>
[DisallowConcurrentExecution]
internal sealed class ApprovalSweepJob(ApprovalSweep sweep) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        sweep.RunAsync(cancellationToken);
}
