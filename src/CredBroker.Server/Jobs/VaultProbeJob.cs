using CredBroker.Core.Issuing;
using CredBroker.Core.Readiness;
using CredBroker.Vault;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Proves that the broker can revoke; without a recent proof it does not issue. While issuing is paused each firing
/// tries, so that a short outage is a short pause.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class VaultProbeJob(ISecretIssuer issuer, ClusterMemory memory, VaultOptions options, TimeProvider time)
    : IJob
{
    /// <summary>How often it fires; a proof is renewed only when it is older than the settings' interval.</summary>
    public static readonly TimeSpan Firing = TimeSpan.FromSeconds(5);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        await memory.FollowAsync(cancellationToken);
        if (
            !memory.IsInDoubt
            && issuer.Status is { CanIssue: true, ProvenAt: { } provenAt }
            && time.GetUtcNow() - provenAt < options.ProbeInterval - Firing
        )
        {
            return;
        }

        await issuer.ProbeAsync(cancellationToken);
        await memory.RememberAsync(cancellationToken);
    }
}
