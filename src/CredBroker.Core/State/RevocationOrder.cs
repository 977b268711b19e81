namespace CredBroker.Core.State;

/// <summary>
/// An order to revoke: an admin's, or the one that closing a task implies. Committed first (it is a fence), enumerated
/// afterwards.
/// </summary>
public sealed record RevocationOrder
{
    /// <summary>The order's id.</summary>
    public required string Id { get; init; }

    /// <summary>What it reaches.</summary>
    public required LeaseSelector Selector { get; init; }

    /// <summary>
    /// The cause that its leases get: <see cref="RevocationCause.Admin"/>, <see cref="RevocationCause.Quarantine"/> or
    /// <see cref="RevocationCause.TaskClosed"/>.
    /// </summary>
    public required RevocationCause Cause { get; init; }

    /// <summary>Why, in the admin's words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Who ordered it, as in the audit event's actor.</summary>
    public required string RequestedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>
    /// The fence: a rising number, assigned by the store at commit. A request that noted an earlier one is refused
    /// when it opens its lease.
    /// </summary>
    public long Fence { get; init; }

    /// <summary>
    /// When every lease it reaches had been claimed for it; null while that is under way (a job goes on with it after a
    /// crash).
    /// </summary>
    public DateTimeOffset? EnumeratedAt { get; init; }

    /// <summary>
    /// For one that reaches everything, once it is enumerated: what was not searched for secrets that no record knows.
    /// Null while that is not known, and for one that was enumerated before it was kept.
    /// </summary>
    public IReadOnlyList<NotSearched>? NotSearched { get; init; }
}
