namespace CredBroker.Core.State;

/// <summary>What names a secret in Vault, so that it can be revoked; nothing of it is secret.</summary>
public sealed record SecretHandles(string? VaultLeaseId, string? CredentialAccessor, string PublicName);
