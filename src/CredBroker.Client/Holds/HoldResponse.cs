namespace CredBroker.Client;

/// <summary>A hold: what is neither issued nor renewed. Its selector's fields are those that are set.</summary>
public sealed record HoldResponse : LeaseSelection
{
    /// <summary>True: all issuing is held.</summary>
    public bool? Everything { get; init; }

    /// <summary>The hold's id.</summary>
    public required string HoldId { get; init; }

    /// <summary>Why, in the admin's words.</summary>
    public required string Reason { get; init; }

    /// <summary>Who placed it.</summary>
    public required string PlacedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset PlacedAt { get; init; }

    /// <summary>When it lapses by itself; absent where it lasts until it is lifted.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>For a quarantine: the revocation that was ordered with it.</summary>
    public string? RevocationId { get; init; }

    /// <summary>
    /// True: the broker's store did not take the hold, which is in force all the same, as long as the broker runs.
    /// Nothing at all is issued until it is on record.
    /// </summary>
    public bool? RecordMissing { get; init; }

    /// <summary>When it was lifted, if it was.</summary>
    public DateTimeOffset? LiftedAt { get; init; }

    /// <summary>Who lifted it.</summary>
    public string? LiftedBy { get; init; }

    /// <summary>Why it was lifted.</summary>
    public string? LiftReason { get; init; }
}
