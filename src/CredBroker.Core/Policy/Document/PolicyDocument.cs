namespace CredBroker.Core.Policy.Document;

/// <summary>The text of a policy as its source holds it, with the JSON Schemas that it names. Not parsed yet.</summary>
public sealed record PolicyDocument
{
    /// <summary>Where it came from, for messages: a file name.</summary>
    public required string Name { get; init; }

    /// <summary>The YAML text, at most 1 MiB.</summary>
    public required string Text { get; init; }

    /// <summary>JSON Schema texts by the file name that <c>toolSchemas</c> uses.</summary>
    public IReadOnlyDictionary<string, string> Schemas { get; init; } = new Dictionary<string, string>();

    /// <summary>Every schema file that the text names, those that do not exist included; null where nobody has looked.</summary>
    internal IReadOnlyList<string>? Named { get; init; }
}
