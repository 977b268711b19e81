using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Once after each start: revokes the few secrets of this installation that no record knows, as after a start on an empty
/// or older store. Not before Vault can have ended whatever an earlier start had asked of it; tried again until it has
/// looked at everything.
/// </summary>
public sealed class StrayRecovery(StrayKill strays, IBrokerStore store, LeaseOptions options, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private bool _isOver;

    /// <summary>Does what there is to do now. Not for two callers at once.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        if (!_isOver && time.GetElapsedTime(_started) >= options.VaultRequestLimit && store.Fault is null)
        {
            _isOver = await strays.RecoverAsync(cancellationToken);
        }
    }
}
