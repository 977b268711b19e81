namespace CredBroker.Server.Hosting;

/// <summary>
/// What is written to the console. Bound from the section <c>Log</c>. No level writes a secret or a token.
/// </summary>
public sealed record LogOptions
{
    /// <summary><c>text</c> for people, <c>json</c> for machines.</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;

    /// <summary>The least level written.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>Other levels for categories that begin with the key, such as <c>Microsoft.AspNetCore</c>.</summary>
    public IReadOnlyDictionary<string, LogLevel> Levels { get; init; } = new Dictionary<string, LogLevel>();
}

/// <summary>How log lines look.</summary>
public enum LogFormat
{
    /// <summary>Lines for people.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}
