using CredBroker.Core.Diagnostics;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Measures how long each run of a job took.</summary>
internal sealed class JobTimes : IJobListener
{
    public string Name => nameof(JobTimes);

    public ValueTask JobToBeExecuted(IJobExecutionContext context, CancellationToken cancellationToken) => default;

    public ValueTask JobExecutionVetoed(IJobExecutionContext context, CancellationToken cancellationToken) => default;

    public ValueTask JobWasExecuted(
        IJobExecutionContext context,
        JobExecutionException? jobException,
        CancellationToken cancellationToken
    )
    {
        Telemetry.JobEnded(context.JobDetail.Key.Name, jobException is not null, context.JobRunTime);
        return default;
    }
}
