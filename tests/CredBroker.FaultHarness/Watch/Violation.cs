namespace CredBroker.FaultHarness.Watch;

/// <summary>Something that was said and is not true.</summary>
internal sealed record Violation
{
    /// <summary>Of which lease, or of what else.</summary>
    public required string Subject { get; init; }

    /// <summary>What was said and what was found.</summary>
    public required string What { get; init; }

    public required DateTimeOffset FirstSeen { get; init; }

    public required DateTimeOffset LastSeen { get; init; }
}
