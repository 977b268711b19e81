using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Benchmarks.Children;

internal sealed record BareRequest(BareTask Task, string Credential, string[] Actions);

internal sealed record BareTask(string Id, string Process, string Purpose);

internal sealed record BareLease(
    string Id,
    string Issuer,
    string Subject,
    BareRequest Request,
    DateTimeOffset OpenedAt,
    DateTimeOffset ExpiresAt
);

internal sealed record BareResponse(string LeaseId, JsonElement Secret, DateTimeOffset ExpiresAt);

internal sealed record BareTokenRequest(
    string Ttl,
    [property: JsonPropertyName("display_name")] string DisplayName,
    Dictionary<string, string> Meta
);

internal sealed record BareVaultReply(
    [property: JsonPropertyName("lease_id")] string? LeaseId,
    JsonElement Data,
    BareVaultAuth? Auth
);

internal sealed record BareVaultAuth([property: JsonPropertyName("client_token")] string ClientToken, string Accessor);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BareRequest))]
[JsonSerializable(typeof(BareLease))]
[JsonSerializable(typeof(BareResponse))]
[JsonSerializable(typeof(BareTokenRequest))]
[JsonSerializable(typeof(BareVaultReply))]
internal sealed partial class BareJson : JsonSerializerContext;
