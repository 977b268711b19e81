using System.Text.Json;

namespace CredBroker.Core.Requests;

/// <summary>What an agent asks for, bounded and checked for form at the edge.</summary>
public sealed record CredentialRequest
{
    /// <summary>The catalogue entry's name.</summary>
    public required string Credential { get; init; }

    /// <summary>A non-empty subset of the actions that the entry offers.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>What the actions are about; a statement by the agent.</summary>
    public string Resource { get; init; } = "";

    /// <summary>Parameters of the credential, by name; null for none.</summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

    /// <summary>The wished life of the secret; null means the entry's maximum.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>How the secret is handed over; <c>direct</c> is the only way yet.</summary>
    public string Delivery { get; init; } = "direct";

    /// <summary>A PKCS#10 request as PEM, for credentials whose key the agent keeps.</summary>
    public string? Csr { get; init; }

    /// <summary>The tool call that the secret is for.</summary>
    public ToolCall? ToolCall { get; init; }
}

/// <summary>
/// A declared tool call: a statement by the agent that policy may bound and the outcome is compared with.
/// </summary>
/// <param name="Name">The tool's name.</param>
/// <param name="Arguments">A JSON object.</param>
public sealed record ToolCall(string Name, JsonElement Arguments);
