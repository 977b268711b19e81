using CredBroker.Core.Readiness;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Once after each start, and once more after <see cref="Again"/>: revokes the few secrets of this installation that no
/// record knows, as after a start on an empty or older store. Not before Vault can have ended whatever an earlier start
/// had asked of it; tried again until it has looked at everything. Not in a store that is behind its anchor: an admin
/// has to see first what it does not know.
/// </summary>
public sealed class StrayRecovery(
    StrayKill strays,
    AnchorCheck anchor,
    IBrokerStore store,
    LeaseOptions options,
    TimeProvider time
)
{
    private long _began = time.GetTimestamp();

    // How often it was asked for, and which time it has come to its end.
    private int _asked = 1;
    private int _done;

    /// <summary>Does what there is to do now. Not for two callers at once.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        var asked = Volatile.Read(ref _asked);
        if (
            _done != asked
            && time.GetElapsedTime(Volatile.Read(ref _began)) >= options.VaultRequestLimit
            && store.Fault is null
            && anchor.Refusal is null
            && await strays.RecoverAsync(cancellationToken)
        )
        {
            _done = asked;
        }
    }

    /// <summary>The store or Vault has gone back: what the one holds and the other does not know is looked for anew.</summary>
    public void Again()
    {
        Volatile.Write(ref _began, time.GetTimestamp());
        Interlocked.Increment(ref _asked);
    }
}
