namespace CredBroker.Client;

/// <summary><c>POST /v1/policy/preview</c>: a document that is not applied. The whole request has at most 64 KiB.</summary>
public sealed record PolicyPreviewRequest
{
    /// <summary>The document: YAML.</summary>
    public required string Text { get; init; }

    /// <summary>JSON Schemas by the file name that <c>toolSchemas</c> uses.</summary>
    public IReadOnlyDictionary<string, string>? Schemas { get; init; }
}
