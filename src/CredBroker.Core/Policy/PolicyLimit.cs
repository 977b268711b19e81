namespace CredBroker.Core.Policy;

/// <summary>
/// A bound on what may be out, issued or denied at a time, whatever the rules allow: an entry of the policy's
/// <c>limits</c>. Every limit applies to every request; each counts by its own <see cref="Per"/>.
/// </summary>
public sealed record PolicyLimit
{
    /// <summary>Its name in the policy document; what was counted does not depend on it.</summary>
    public required string Id { get; init; }

    /// <summary>What is counted together.</summary>
    public required LimitScope Per { get; init; }

    /// <summary>How many leases may be not over at once, those included that are being issued or revoked; null: any.</summary>
    public int? MaxActive { get; init; }

    /// <summary>How many leases may open within any such time; renewals do not count. Null: any.</summary>
    public LimitRate? MaxIssued { get; init; }

    /// <summary>
    /// How many of its own requests policy may deny within any such time; one more is the breach. Only where
    /// <see cref="Per"/> is the identity that asks, so that nobody else's requests count. Null: any.
    /// </summary>
    public LimitRate? MaxDenied { get; init; }

    /// <summary>
    /// For how long the one instance whose request breaks the limit is quarantined; null where that request is refused,
    /// and nothing else happens.
    /// </summary>
    public TimeSpan? QuarantineFor { get; init; }

    /// <summary>
    /// Whether people are asked to let the one request that breaks the limit pass; where they cannot be, it is refused.
    /// </summary>
    public bool Challenges => Challenge is not null;

    /// <summary>Which people.</summary>
    internal ApprovalClause? Challenge { get; init; }
}

/// <summary>So many within any period of this length.</summary>
/// <param name="Count">How many.</param>
/// <param name="Per">The length.</param>
public sealed record LimitRate(int Count, TimeSpan Per);
