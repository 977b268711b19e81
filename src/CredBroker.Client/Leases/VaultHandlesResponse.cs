namespace CredBroker.Client;

/// <summary>What names a secret in Vault and in the backend; none of it is secret.</summary>
public sealed record VaultHandlesResponse
{
    /// <summary>Vault's lease id.</summary>
    public string? LeaseId { get; init; }

    /// <summary>The accessor of the token that the secret hangs on.</summary>
    public string? Accessor { get; init; }

    /// <summary>The database user or the certificate's serial number.</summary>
    public string? PublicName { get; init; }
}
