namespace CredBroker.Client;

/// <summary><c>pki</c>: a certificate.</summary>
public sealed record CertificateSecret : SecretResponse
{
    /// <summary>The certificate as PEM.</summary>
    public required string Certificate { get; init; }

    /// <summary>The issuing certificates as PEM, nearest first.</summary>
    public required IReadOnlyList<string> Chain { get; init; }

    /// <summary>The serial number.</summary>
    public required string Serial { get; init; }

    /// <summary>The private key as PKCS#8 PEM; absent where the agent sent a CSR and keeps its key.</summary>
    public string? PrivateKey { get; init; }
}
