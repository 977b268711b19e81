using System.Collections.Concurrent;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Whether Vault can still be working on a mint whose token was revoked: its longest request time has to have passed
/// since, by the store's clock and by the monotonic one, because a wall clock that jumps ahead, or was ahead when the
/// broker started, is no proof. What was revoked before this process began counts from its beginning.
/// </summary>
public sealed class AbsenceWait(IBrokerStore store, LeaseOptions options, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();

    // When this process revoked the accessor; for as long as that says more than the process's own age.
    private readonly ConcurrentDictionary<string, long> _revoked = new(StringComparer.Ordinal);

    /// <summary>The accessor of the lease has just been revoked, for the first time.</summary>
    public void Begin(string leaseId)
    {
        foreach (var (lease, since) in _revoked)
        {
            if (HasPassed(since))
            {
                _revoked.TryRemove(lease, out _);
            }
        }

        _revoked[leaseId] = time.GetTimestamp();
    }

    /// <summary>Whether a sweep that begins now can prove that the lease has no secret.</summary>
    public bool IsOver(Lease lease) =>
        lease.AccessorRevokedAt + options.VaultRequestLimit <= store.Position.Counted
        && HasPassed(_revoked.GetValueOrDefault(lease.Id, _began));

    private bool HasPassed(long since) => time.GetElapsedTime(since) >= options.VaultRequestLimit;
}
