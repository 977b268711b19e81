namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/policy/replay</c>: a document that is not applied, and which requests of the past are decided under it. The
/// whole request has at most 64 KiB.
/// </summary>
public sealed record PolicyReplayRequest
{
    /// <summary>The document: YAML.</summary>
    public required string Text { get; init; }

    /// <summary>JSON Schemas by the file name that <c>toolSchemas</c> uses.</summary>
    public IReadOnlyDictionary<string, string>? Schemas { get; init; }

    /// <summary>The first time wanted.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>The first time not wanted; now, where it is absent. Later pages name the one of the first answer.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Goes on where an earlier answer's <c>next</c> says.</summary>
    public string? After { get; init; }
}
