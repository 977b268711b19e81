namespace CredBroker.Client;

/// <summary>
/// Word of what became of a question to people, as webhooks and the stream of events carry it. A hint to look: it decides
/// nothing, and it may come twice, late, or after a later one.
/// </summary>
public sealed record ApprovalNotification
{
    /// <summary>
    /// <c>approval.asked</c>, <c>approval.escalated</c>, <c>approval.approved</c>, <c>approval.denied</c>,
    /// <c>approval.expired</c> or <c>approval.voided</c>.
    /// </summary>
    public required string Type { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>The question as it stood then, as approvers see it.</summary>
    public required ApprovalResponse Data { get; init; }

    /// <summary>Where people look at it; absent where that is not set.</summary>
    public string? Link { get; init; }
}
