using CredBroker.Server.Notifications;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Tells systems outside what became of questions to people.</summary>
[DisallowConcurrentExecution]
internal sealed class NotificationJob(NotificationRun run) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        run.RunAsync(cancellationToken);
}
