namespace CredBroker.Client;

/// <summary>A version of the policy that was applied.</summary>
public sealed record PolicyVersionResponse
{
    /// <summary>Its number, 1 for the first.</summary>
    public required long Version { get; init; }

    /// <summary>SHA-256 of the document and its schemas, lower-case hex.</summary>
    public required string Hash { get; init; }

    /// <summary>When it was applied.</summary>
    public required DateTimeOffset AppliedAt { get; init; }
}
