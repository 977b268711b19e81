namespace CredBroker.Client;

/// <summary><c>PUT /v1/policy</c>: a document that becomes the next version. The whole request has at most 64 KiB.</summary>
public sealed record ApplyPolicyRequest
{
    /// <summary>The document: YAML.</summary>
    public required string Text { get; init; }

    /// <summary>JSON Schemas by the file name that <c>toolSchemas</c> uses.</summary>
    public IReadOnlyDictionary<string, string>? Schemas { get; init; }
}
