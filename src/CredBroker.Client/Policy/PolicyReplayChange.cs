namespace CredBroker.Client;

/// <summary>Requests of a process that a document would decide otherwise than policy did, or by another rule.</summary>
public sealed record PolicyReplayChange
{
    /// <summary>The process that they named.</summary>
    public required string Process { get; init; }

    /// <summary>What policy said.</summary>
    public required PolicyReplayVerdict Then { get; init; }

    /// <summary>What the document says.</summary>
    public required PolicyReplayVerdict Now { get; init; }

    /// <summary>How many there are.</summary>
    public required long Count { get; init; }

    /// <summary>The id of one of those decisions, to be looked up in the audit log.</summary>
    public required string Example { get; init; }
}
