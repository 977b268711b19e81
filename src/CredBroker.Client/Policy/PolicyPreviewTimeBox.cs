namespace CredBroker.Client;

/// <summary>An open time box that a new policy version would end.</summary>
public sealed record PolicyPreviewTimeBox
{
    /// <summary>The approval that it was given with.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>The agent that asked.</summary>
    public required string Agent { get; init; }

    /// <summary>Its business process.</summary>
    public required string Process { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>Its end as it stands.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>
    /// What the document says to what was approved: <c>allow</c>, <c>deny</c>, or <c>challenge</c> where it asks other
    /// people, or for something else.
    /// </summary>
    public required string Effect { get; init; }

    /// <summary>The rule, or the code, that says it.</summary>
    public required string Rule { get; init; }
}
