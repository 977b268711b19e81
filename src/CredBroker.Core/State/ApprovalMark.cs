using CredBroker.Core.Identity;

namespace CredBroker.Core.State;

/// <summary>The approval that a lease stands on.</summary>
public sealed record ApprovalMark
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>What was agreed to: as long as the same request resolves to the same, the approval holds.</summary>
    public required string Digest { get; init; }

    /// <summary>The time box that it was opened in; null for the one lease that uses the approval up.</summary>
    public TimeBoxMark? TimeBox { get; init; }

    /// <summary>Who asked, where an executor redeemed it: policy decides on that identity. Null where it is the holder.</summary>
    public WorkloadIdentity? PreparedBy { get; init; }
}
