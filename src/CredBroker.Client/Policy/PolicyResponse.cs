namespace CredBroker.Client;

/// <summary><c>GET /v1/policy</c>: the policy in force.</summary>
public sealed record PolicyResponse
{
    /// <summary>Its version, 1 for the first.</summary>
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

    /// <summary>The document's name.</summary>
    public required string Name { get; init; }

    /// <summary>The document: YAML.</summary>
    public required string Text { get; init; }

    /// <summary>JSON Schemas by the file name that <c>toolSchemas</c> uses.</summary>
    public IReadOnlyDictionary<string, string>? Schemas { get; init; }

    /// <summary>The faults of a newer edit that was refused; absent where the newest document is in force.</summary>
    public IReadOnlyList<string>? RefusedEdit { get; init; }

    /// <summary>Since when this broker has refused that edit; absent where there is none.</summary>
    public DateTimeOffset? RefusedSince { get; init; }

    /// <summary>
    /// Where new versions come from: <c>file</c>, the broker's watched policy file, or <c>api</c>. Absent in the answer for
    /// one version.
    /// </summary>
    public string? Source { get; init; }
}
