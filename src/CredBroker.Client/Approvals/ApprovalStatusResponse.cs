using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>Where a request for approval stands, as the one who asked sees it.</summary>
public sealed record ApprovalStatusResponse
{
    /// <summary>The question.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>One of <see cref="ApprovalStatuses"/>.</summary>
    public required string Status { get; init; }

    /// <summary>How long to wait before looking again.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan Interval { get; init; }

    /// <summary>Until when it can be agreed to and redeemed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Why it was denied, in the person's words, or taken back.</summary>
    public string? Reason { get; init; }

    /// <summary>The agent that alone redeems it; absent: the one that asked.</summary>
    public string? Executor { get; init; }

    /// <summary>What the one that redeemed it says it did; absent until it says something.</summary>
    public RequestOutcomeResponse? Outcome { get; init; }
}
