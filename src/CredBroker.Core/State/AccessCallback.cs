namespace CredBroker.Core.State;

/// <summary>Where, and of what, the one who submits an access request wants to be told.</summary>
public sealed record AccessCallback
{
    /// <summary>How many one question has; a caller has only so many questions open.</summary>
    public const int MaxPerQuestion = 5;

    /// <summary>The address, one that the settings let the caller name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Of what it is told; empty means of all.</summary>
    public required IReadOnlyList<NotificationKind> Events { get; init; }

    /// <summary>What is given back unread: JSON; empty where nothing.</summary>
    public required string State { get; init; }
}
