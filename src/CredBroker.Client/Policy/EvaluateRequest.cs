using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary><c>POST /v1/policy/evaluate</c>: what would policy say? Nothing is issued and no lease is opened.</summary>
public sealed record EvaluateRequest
{
    /// <summary>Who would ask.</summary>
    public required EvaluateIdentity Identity { get; init; }

    /// <summary>The task.</summary>
    public required TaskDeclaration Task { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>The actions.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>What the actions are about.</summary>
    public string? Resource { get; init; }

    /// <summary>The credential's parameters by name, where the catalogue says that it takes any.</summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

    /// <summary>The wished life.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? Ttl { get; init; }

    /// <summary>The tool call.</summary>
    public ToolCallDeclaration? ToolCall { get; init; }
}
