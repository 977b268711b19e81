namespace CredBroker.Core.State;

/// <summary>
/// Word of what became of a question to people, that is to be sent outside. It is committed with what it tells, and stays
/// until every address has taken it, or until that is given up.
/// </summary>
public sealed record Notification
{
    /// <summary>Its id, the same however often it is sent.</summary>
    public required string Id { get; init; }

    /// <summary>The question.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What became of it.</summary>
    public required NotificationKind Kind { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who did it, as in the audit event's actor; empty where it was asked.</summary>
    public required string By { get; init; }

    /// <summary>Why it was denied, in the person's words, or taken back, in one word.</summary>
    public required string Reason { get; init; }

    /// <summary>How often it was taken up to be sent.</summary>
    public required int Attempts { get; init; }

    /// <summary>The names of the addresses that have taken it.</summary>
    public required IReadOnlyList<string> SentTo { get; init; }

    /// <summary>
    /// The one address that is told this, named by who submitted the request; null where it is for those of the settings.
    /// </summary>
    public NotificationCallback? Callback { get; init; }
}
