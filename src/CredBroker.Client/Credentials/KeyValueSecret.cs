using System.Text.Json;

namespace CredBroker.Client;

/// <summary><c>kv</c>: a static value. Nobody can revoke it; it stays valid until it is rotated.</summary>
public sealed record KeyValueSecret : SecretResponse
{
    /// <summary>Its members: a JSON object.</summary>
    public required JsonElement Data { get; init; }
}
