using CredBroker.Core.Callers;
using CredBroker.Server.Endpoints.Callers;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Records, each minute, what came too often to be recorded one by one: calls that were refused before their caller was
/// verified, and people's repeated reads.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class RefusedCallsJob(RefusedCalls refused, PeopleActions people) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        await refused.FlushAsync(cancellationToken);
        await people.FlushAsync(cancellationToken);
    }
}
