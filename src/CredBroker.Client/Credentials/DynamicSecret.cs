using System.Text.Json;

namespace CredBroker.Client;

/// <summary><c>dynamic</c>: what another engine of Vault made.</summary>
public sealed record DynamicSecret : SecretResponse
{
    /// <summary>Its members: a JSON object.</summary>
    public required JsonElement Data { get; init; }
}
