using System.Collections.Concurrent;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Whether Vault can still be working on a mint whose token was revoked: its longest request time has to have passed
/// since, by the store's clock and by the monotonic one, because a wall clock that jumps ahead, or was ahead when the
/// broker started, is no proof. What was revoked before this process began counts from its beginning, and what another
/// broker has revoked since, from when it was first looked at here.
/// </summary>
public sealed class AbsenceWait(IBrokerStore store, LeaseOptions options, TimeProvider time)
{
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(2);

    // For so long it is remembered that the time is over: a proof may not succeed at once.
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    private readonly long _began = time.GetTimestamp();
    private readonly DateTimeOffset _beganAt = store.Position.UtcNow;

    // When this process revoked the accessor, or first saw that another had, and for how long that says more than the
    // process's own age.
    private readonly ConcurrentDictionary<string, (long Since, TimeSpan Length)> _revoked = new(StringComparer.Ordinal);

    /// <summary>
    /// The time by which Vault's are judged: the store's clock, but the count of what has passed where that does not
    /// agree with the broker's, for then nothing is being issued.
    /// </summary>
    public DateTimeOffset Now =>
        store.Position is var now && (now.UtcNow - time.GetUtcNow()).Duration() <= ClockDifference
            ? now.UtcNow
            : now.Counted;

    /// <summary>The accessor of the lease has just been revoked, for the first time.</summary>
    /// <param name="leaseId">The lease.</param>
    /// <param name="length">How long what may have been made can be used.</param>
    public void Begin(string leaseId, TimeSpan length)
    {
        foreach (var (lease, revoked) in _revoked)
        {
            if (HasPassed(revoked.Since, revoked.Length + Kept))
            {
                _revoked.TryRemove(lease, out _);
            }
        }

        _revoked[leaseId] = (time.GetTimestamp(), length);
    }

    /// <summary>How much of that time is left, by the monotonic clock; zero or less once it is over.</summary>
    public TimeSpan Left(Lease lease, DateTimeOffset until) =>
        until - (lease.AccessorRevokedAt ?? until) - time.GetElapsedTime(Since(lease));

    /// <summary>Whether a sweep that begins now can prove that the lease has no secret.</summary>
    public bool IsOver(Lease lease) =>
        lease.AccessorRevokedAt + options.VaultRequestLimit <= store.Position.Counted
        && HasPassed(Since(lease), options.VaultRequestLimit);

    private long Since(Lease lease)
    {
        if (_revoked.TryGetValue(lease.Id, out var revoked))
        {
            return revoked.Since;
        }

        return lease.AccessorRevokedAt > _beganAt
            ? _revoked.GetOrAdd(lease.Id, (time.GetTimestamp(), options.VaultRequestLimit)).Since
            : _began;
    }

    private bool HasPassed(long since, TimeSpan length) => time.GetElapsedTime(since) >= length;
}
