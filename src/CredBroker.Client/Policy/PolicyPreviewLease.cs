namespace CredBroker.Client;

/// <summary>A live lease that a new policy version would end, or end earlier.</summary>
public sealed record PolicyPreviewLease
{
    /// <summary>The lease.</summary>
    public required string LeaseId { get; init; }

    /// <summary>The agent that holds it.</summary>
    public required string Agent { get; init; }

    /// <summary>Its business process.</summary>
    public required string Process { get; init; }

    /// <summary>Its catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>Its end as it stands; absent while it is pending.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The rule, or the code, that no longer allows it; absent where it only ends earlier.</summary>
    public string? Rule { get; init; }

    /// <summary>Its new end; absent where it is ended.</summary>
    public DateTimeOffset? EndsAt { get; init; }
}
