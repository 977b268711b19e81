namespace CredBroker.Core.State;

/// <summary>
/// An admin's word that nothing is issued or renewed for whatever a selector reaches, for a time or until somebody
/// lifts it. It takes nothing back: together with an order that does, it is a quarantine.
/// </summary>
public sealed record Hold
{
    /// <summary>How many may be in force at once: each opening of a lease is compared with all of them.</summary>
    public const int MaxInForce = 500;

    /// <summary>How many of these places no tripwire takes, so that a fleet that trips leaves room for an admin.</summary>
    public const int KeptForPeople = 100;

    /// <summary>The hold's id.</summary>
    public required string Id { get; init; }

    /// <summary>What it refuses.</summary>
    public required LeaseSelector Selector { get; init; }

    /// <summary>Why, in the admin's words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Who placed it, as in the audit event's actor.</summary>
    public required string PlacedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset PlacedAt { get; init; }

    /// <summary>When it lapses by itself; null means not before it is lifted.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>For a quarantine: the order that revokes what there was.</summary>
    public string? RevocationId { get; init; }

    /// <summary>When it was lifted; null while nobody has.</summary>
    public DateTimeOffset? LiftedAt { get; init; }

    /// <summary>Who lifted it.</summary>
    public string? LiftedBy { get; init; }

    /// <summary>Why it was lifted.</summary>
    public string? LiftReason { get; init; }
}
