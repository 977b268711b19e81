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

    /// <summary>The document's name.</summary>
    public required string Name { get; init; }

    /// <summary>The document: YAML.</summary>
    public required string Text { get; init; }

    /// <summary>JSON Schemas by the file name that <c>toolSchemas</c> uses.</summary>
    public IReadOnlyDictionary<string, string>? Schemas { get; init; }

    /// <summary>The faults of a newer edit that was refused; absent where the newest document is in force.</summary>
    public IReadOnlyList<string>? RefusedEdit { get; init; }
}
