namespace CredBroker.Core.Leases;

/// <summary>Secrets of one credential that Vault holds and no live record of the broker knows.</summary>
/// <param name="Credential">The catalogue entry.</param>
/// <param name="VaultLeaseIds">Them; null where nobody can say.</param>
/// <param name="Why">Why nobody can; else empty.</param>
public sealed record UnknownSecrets(string Credential, IReadOnlyList<string>? VaultLeaseIds, string Why);
