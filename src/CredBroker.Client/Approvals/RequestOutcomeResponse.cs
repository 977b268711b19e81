namespace CredBroker.Client;

/// <summary>
/// What the agent that redeemed an approval says it did with the secret, the newest report. Its statement: the broker has
/// not seen what was done.
/// </summary>
public sealed record RequestOutcomeResponse
{
    /// <summary><c>succeeded</c>, <c>failed</c> or <c>abandoned</c>.</summary>
    public required string Status { get; init; }

    /// <summary>A sentence about it.</summary>
    public string? Summary { get; init; }

    /// <summary>Whether the tool call that it reports is the one that was approved; absent where it reports none.</summary>
    public bool? AsApproved { get; init; }

    /// <summary>When it reported.</summary>
    public required DateTimeOffset ReportedAt { get; init; }
}
