using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Notices that the store's file was deleted or replaced, and that it takes changes again, orders that it did not take first of all.</summary>
[DisallowConcurrentExecution]
internal sealed class StoreWatchJob(IBrokerStore store, UnrecordedOrders unrecorded) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        await store.WatchAsync(cancellationToken);
        await unrecorded.RecordAsync(cancellationToken);
    }
}
