namespace CredBroker.Core.State;

/// <summary>Work that jobs ask the store for.</summary>
public enum LeaseWork
{
    /// <summary>Active leases whose <see cref="Lease.ExpiresAt"/> is before the given time.</summary>
    Expired,

    /// <summary>
    /// Leases in <c>revoking</c> or <c>failed</c> whose next attempt is before the given time (none set counts as due)
    /// and whose claim, if any, has lapsed.
    /// </summary>
    RevocationDue,

    /// <summary>Pending leases whose issuance deadline is before the given time.</summary>
    PendingPastDeadline,
}
