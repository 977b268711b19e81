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

    /// <summary>The version that it follows; absent for the first.</summary>
    public long? Parent { get; init; }

    /// <summary>Who applied it over the API; absent where it came from a file.</summary>
    public PolicyAuthorResponse? Author { get; init; }

    /// <summary>The earlier version whose content it has again; absent where nobody went back.</summary>
    public long? Restores { get; init; }

    /// <summary>Why somebody went back; absent where nobody did.</summary>
    public string? Reason { get; init; }
}
