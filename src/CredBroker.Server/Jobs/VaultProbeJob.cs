using CredBroker.Core.Exchange;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>Proves that the broker can revoke; without a recent proof it does not issue.</summary>
[DisallowConcurrentExecution]
internal sealed class VaultProbeJob(ISecretIssuer issuer) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) => await issuer.ProbeAsync(cancellationToken);
}
