namespace CredBroker.Client;

/// <summary>An open request to people that a new policy version would take back.</summary>
public sealed record PolicyPreviewApproval
{
    /// <summary>The request.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>The agent that asked.</summary>
    public required string Agent { get; init; }

    /// <summary>Its business process.</summary>
    public required string Process { get; init; }

    /// <summary>The catalogue entry that it asked for.</summary>
    public required string Credential { get; init; }

    /// <summary>Where it stands: <c>pending</c>, or <c>approved</c> and not redeemed yet.</summary>
    public required string State { get; init; }

    /// <summary>Its end as it stands.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>
    /// What the document says to the same request: <c>allow</c>, <c>deny</c>, or <c>challenge</c> where it asks other people,
    /// or for something else.
    /// </summary>
    public required string Effect { get; init; }

    /// <summary>The rule, or the code, that says it.</summary>
    public required string Rule { get; init; }
}
