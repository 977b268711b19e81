using CredBroker.Core.Approvals;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Closes the questions to people whose time is over, and takes back those that no longer hold; and so with time boxes.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class ApprovalSweepJob(ApprovalSweep sweep, TimeBoxSweep timeBoxes) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        // Neither keeps the other from its work.
        try
        {
            await timeBoxes.RunAsync(cancellationToken);
        }
        finally
        {
            await sweep.RunAsync(cancellationToken);
        }
    }
}
