using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/credentials</c>: asks for the credential that one task needs. The identity proof travels as the bearer
/// token.
/// </summary>
public sealed record ExchangeRequest
{
    /// <summary>The task that the secret is for.</summary>
    public required TaskDeclaration Task { get; init; }

    /// <summary>The name of an entry of the catalogue.</summary>
    public required string Credential { get; init; }

    /// <summary>What will be done with it: a non-empty subset of the actions that the entry offers.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>What the actions are about. A statement, shown and compared, never trusted.</summary>
    public string? Resource { get; init; }

    /// <summary>
    /// The wished life of the secret; absent means the entry's maximum. More than is granted is cut, and the answer
    /// says so.
    /// </summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? Ttl { get; init; }

    /// <summary>How the secret is handed over; <c>direct</c> (the default) is the only way yet.</summary>
    public string? Delivery { get; init; }

    /// <summary>
    /// For a certificate whose key the agent keeps: a PKCS#10 request as PEM. Only its key is used, its names are
    /// ignored.
    /// </summary>
    public string? Csr { get; init; }

    /// <summary>The tool call that the secret is for.</summary>
    public ToolCallDeclaration? ToolCall { get; init; }

    /// <summary>
    /// Makes repeating the request safe: unique per verified identity for 24 hours. A repetition never leaves two live
    /// secrets.
    /// </summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>The task that an agent says it is working on.</summary>
public sealed record TaskDeclaration
{
    /// <summary>The agent's own id for this run of the process. A closed task's id is never taken again.</summary>
    public required string Id { get; init; }

    /// <summary>The business process, by its name in the policy.</summary>
    public required string Process { get; init; }

    /// <summary>Why: the declared intent. A statement, shown and compared, never trusted.</summary>
    public required string Purpose { get; init; }
}

/// <summary>A tool call as an agent declares it.</summary>
public sealed record ToolCallDeclaration
{
    /// <summary>The tool's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its arguments: a JSON object.</summary>
    public required JsonElement Arguments { get; init; }
}
