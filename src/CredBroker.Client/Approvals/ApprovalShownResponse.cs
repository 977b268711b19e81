namespace CredBroker.Client;

/// <summary>One of a tool call's arguments, which the rule shows.</summary>
public sealed record ApprovalShownResponse
{
    /// <summary>What the rule calls it.</summary>
    public required string Label { get; init; }

    /// <summary>
    /// <c>text</c>, <c>number</c>, <c>boolean</c>, <c>list</c>, <c>object</c> or <c>null</c>; <c>digest</c> where it may be
    /// compared and not read, <c>absent</c> where the call has none.
    /// </summary>
    public required string Kind { get; init; }

    /// <summary>The value; what shows nothing is escaped. Absent where it may not be read, or is not there.</summary>
    public string? Text { get; init; }

    /// <summary>True where there is more of it than is shown.</summary>
    public bool? Cut { get; init; }

    /// <summary>SHA-256 of its canonical JSON, where it is not shown in full.</summary>
    public string? Digest { get; init; }
}
