using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>The key that a certificate is for: the caller's, from a CSR, or a new one.</summary>
internal sealed class PkiOrder : IDisposable
{
    private readonly AsymmetricAlgorithm? _key;

    private PkiOrder(CertificateRequest? csr, AsymmetricAlgorithm? key) => (Csr, _key) = (csr, key);

    /// <summary>The CSR as the caller sent it, its names included; null where the key is new.</summary>
    public CertificateRequest? Csr { get; }

    /// <summary><c>rsa</c> or <c>ec</c>.</summary>
    public string KeyType =>
        Csr switch
        {
            null => _key is RSA ? "rsa" : "ec",
            { PublicKey.Oid.Value: "1.2.840.10045.2.1" } => "ec",
            _ => "rsa",
        };

    /// <summary>Reads the <c>csr</c> field; its signature must hold, and its key be of the role's type.</summary>
    public static PkiOrder FromCsr(DevVaultFields fields, RoleSettings role)
    {
        var pem = fields.Text("csr");
        if (pem.Length == 0)
        {
            throw new DevVaultRefusal(400, "\"csr\" is empty");
        }

        if (!pem.Contains("-----BEGIN", StringComparison.Ordinal))
        {
            throw new DevVaultRefusal(400, "csr contains no data");
        }

        try
        {
            var csr = CertificateRequest.LoadSigningRequestPem(
                pem,
                HashAlgorithmName.SHA256,
                CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions
            );
            var order = new PkiOrder(csr, null);
            var wanted = role.Text("key_type");
            return wanted == "any" || wanted == order.KeyType
                ? order
                : throw new DevVaultRefusal(400, $"role requires keys of type {wanted}");
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new DevVaultRefusal(400, $"certificate request could not be parsed: {fault.Message}");
        }
    }

    /// <summary>Makes a key of the role's type, or of the type asked for where the role takes any.</summary>
    public static PkiOrder WithNewKey(DevVaultFields fields, RoleSettings role)
    {
        var (type, bits) = (role.Text("key_type"), role.Number("key_bits"));
        if (type == "any")
        {
            type = fields.Text("key_type") is { Length: > 0 } asked
                ? asked
                : throw new DevVaultRefusal(
                    400,
                    "role key type \"any\" not allowed for issuing certificates "
                        + "without providing key_type and/or key_bits request parameters"
                );
            bits = fields.Number("key_bits");
        }

        return new PkiOrder(null, PkiIssuer.NewKey(type, bits));
    }

    /// <summary>The request to sign: this key, with a subject that the engine chose.</summary>
    public CertificateRequest Request(X500DistinguishedName subject) =>
        _key switch
        {
            RSA rsa => new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            ECDsa ec => new CertificateRequest(subject, ec, HashAlgorithmName.SHA256),
            _ => new CertificateRequest(subject, Csr!.PublicKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        };

    /// <summary>The new key as PEM, in its own form or as PKCS#8.</summary>
    public string PrivateKey(string format) =>
        (_key, format) switch
        {
            (_, "pkcs8") => _key!.ExportPkcs8PrivateKeyPem(),
            (RSA rsa, _) => rsa.ExportRSAPrivateKeyPem(),
            (ECDsa ec, _) => ec.ExportECPrivateKeyPem(),
            _ => throw new InvalidOperationException("There is no new key."),
        };

    public void Dispose() => _key?.Dispose();
}
