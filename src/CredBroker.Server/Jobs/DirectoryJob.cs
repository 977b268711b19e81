using CredBroker.Core.Owners;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Asks the directories that are due whether owners are still there.</summary>
[DisallowConcurrentExecution]
internal sealed class DirectoryJob(DirectoryCheck check) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        check.RunAsync(cancellationToken);
}
