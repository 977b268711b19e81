namespace CredBroker.Core.Issuing;

/// <summary>A lease as Vault shows it.</summary>
/// <param name="VaultLeaseId">Its id.</param>
/// <param name="IssuedAt">Vault's <c>issue_time</c>: the end of the mint.</param>
/// <param name="Revoking">Whether Vault is revoking it already (<c>ttl</c> 0).</param>
/// <param name="RevokeError">
/// What Vault's own attempts to revoke it have failed with, once it has given up; empty until then.
/// </param>
public sealed record VaultLease(string VaultLeaseId, DateTimeOffset IssuedAt, bool Revoking, string RevokeError = "");
