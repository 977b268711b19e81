using CredBroker.Server.Hosting;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Looks at what the gauges show.</summary>
[DisallowConcurrentExecution]
internal sealed class StateGaugesJob(StateGauges gauges) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) =>
        gauges.LookAsync(cancellationToken);
}
