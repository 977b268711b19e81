namespace CredBroker.Core.State;

/// <summary>Work that jobs ask the store for.</summary>
public enum LeaseWork
{
    /// <summary>Active leases whose <see cref="Lease.ExpiresAt"/> is before the given time.</summary>
    Expired,

    /// <summary>Pending leases whose issuance deadline is before the given time.</summary>
    PendingPastDeadline,
}
