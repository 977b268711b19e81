using System.Text.Json.Serialization;

namespace CredBroker.Vault.Http;

/// <summary>A child token: its name and metadata stand in clear in Vault's audit log.</summary>
internal sealed record TokenRequest(string Ttl, string DisplayName, IReadOnlyDictionary<string, string> Meta);

internal sealed record AccessorRequest(string Accessor);

internal sealed record RenewAccessorRequest(string Accessor, string Increment);

internal sealed record RenewSelfRequest(string Increment);

internal sealed record RevokeLeaseRequest(string LeaseId, bool Sync);

internal sealed record LookupLeaseRequest(string LeaseId);

internal sealed record CapabilitiesRequest(IReadOnlyList<string> Paths, string? Accessor = null);

/// <summary>The store's anchor, in the place of a version.</summary>
internal sealed record WriteAnchorRequest(AnchorWriteOptions Options, AnchorData Data);

/// <param name="Cas">The version that is replaced; 0 for none.</param>
internal sealed record AnchorWriteOptions(long Cas);

/// <summary>The store's anchor as it stands in Vault.</summary>
internal sealed record AnchorData(long Epoch, long Serial, IReadOnlyList<string>? Heads);

/// <summary>A version of it, as a KV engine shows one.</summary>
internal sealed record AnchorVersion(AnchorData? Data, AnchorMetadata? Metadata);

internal sealed record AnchorMetadata(long Version);

/// <summary>What a PKI engine is asked to certify. No name of it comes from the CSR.</summary>
internal sealed record PkiRequest
{
    public string? Csr { get; init; }

    public string? CommonName { get; init; }

    public IReadOnlyList<string>? UriSans { get; init; }

    /// <summary>Vault takes this one as text, parted by commas; a name with a comma never gets here.</summary>
    public string? AltNames { get; init; }

    public required string Ttl { get; init; }

    /// <summary>Without it a common name that looks like a host name becomes a DNS SAN as well.</summary>
    public bool ExcludeCnFromSans { get; init; } = true;

    public string? PrivateKeyFormat { get; init; }
}

/// <summary>A class, not a record: it must not print.</summary>
internal sealed class AppRoleLogin
{
    public required string RoleId { get; init; }

    public required string SecretId { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(VaultBody))]
[JsonSerializable(typeof(TokenFacts))]
[JsonSerializable(typeof(LeaseFacts))]
[JsonSerializable(typeof(ListedKeys))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(AccessorRequest))]
[JsonSerializable(typeof(RenewAccessorRequest))]
[JsonSerializable(typeof(RenewSelfRequest))]
[JsonSerializable(typeof(RevokeLeaseRequest))]
[JsonSerializable(typeof(LookupLeaseRequest))]
[JsonSerializable(typeof(CapabilitiesRequest))]
[JsonSerializable(typeof(PkiRequest))]
[JsonSerializable(typeof(WriteAnchorRequest))]
[JsonSerializable(typeof(AnchorVersion))]
[JsonSerializable(typeof(AppRoleLogin))]
internal sealed partial class VaultJson : JsonSerializerContext;
