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

    /// <summary>The credential's parameters by name, where the catalogue says that it takes any.</summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

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
    /// The approval that is redeemed: the rest of the body is what was approved, and the token the one that asked for it.
    /// </summary>
    public string? ApprovalId { get; init; }

    /// <summary>
    /// Makes repeating the request safe: unique per verified identity for 24 hours. A repetition never leaves two live
    /// secrets.
    /// </summary>
    public string? IdempotencyKey { get; init; }
}
