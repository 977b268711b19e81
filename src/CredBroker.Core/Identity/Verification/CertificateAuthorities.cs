using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Core.Identity.Verification;

/// <summary>Which certificate authorities a TLS connection of ours trusts, where it is not the system's.</summary>
public static class CertificateAuthorities
{
    /// <summary>
    /// Trust in the certificates of a PEM file alone: a server's certificate must chain to one of them. Its host name
    /// is checked as ever. Revocation lists are not fetched, because a private authority's list often lies where the
    /// broker cannot reach it. A file without a certificate gives a policy that trusts nobody, which is the caller's to
    /// refuse (<c>CustomTrustStore</c> is empty); one that cannot be read throws <see cref="IOException"/>,
    /// <see cref="UnauthorizedAccessException"/> or <see cref="System.Security.Cryptography.CryptographicException"/>.
    /// </summary>
    public static X509ChainPolicy TrustOnly(string pemFile)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.ImportFromPemFile(pemFile);
        return policy;
    }
}
