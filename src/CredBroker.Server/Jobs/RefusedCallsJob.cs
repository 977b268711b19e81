using CredBroker.Core.Callers;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Records the calls that were refused too often to be recorded one by one, as one event a minute.</summary>
[DisallowConcurrentExecution]
internal sealed class RefusedCallsJob(RefusedCalls refused) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        refused.FlushAsync(cancellationToken);
}
