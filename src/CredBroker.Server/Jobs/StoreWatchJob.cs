using CredBroker.Core.State;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Notices that the store's file was deleted or replaced, and that it takes changes again.</summary>
[DisallowConcurrentExecution]
internal sealed class StoreWatchJob(IBrokerStore store) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        store.WatchAsync(cancellationToken);
}
