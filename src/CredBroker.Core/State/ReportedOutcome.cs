namespace CredBroker.Core.State;

/// <summary>What the holder of an approved secret says it did with it: its statement, the newest one.</summary>
public sealed record ReportedOutcome
{
    /// <summary><c>succeeded</c>, <c>failed</c> or <c>abandoned</c>.</summary>
    public required string Status { get; init; }

    /// <summary>What it says in a sentence or two; may be empty.</summary>
    public required string Summary { get; init; }

    /// <summary>Whether the tool call that it says it made is the one that was approved; null where it names none.</summary>
    public bool? IsAsDeclared { get; init; }

    /// <summary>When it said so, by the store's clock.</summary>
    public DateTimeOffset At { get; init; }
}
