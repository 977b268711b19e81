using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>A root: its certificate, with the key, in memory.</summary>
internal sealed class PkiIssuer
{
    private readonly X509SignatureGenerator _generator;

    private PkiIssuer(string name, X509Certificate2 certificate, X509SignatureGenerator generator)
    {
        (Name, Certificate, _generator) = (name, certificate, generator);
        Pem = certificate.ExportCertificatePem();
    }

    public string Id { get; } = Guid.NewGuid().ToString();

    public string KeyId { get; } = Guid.NewGuid().ToString();

    public string Name { get; }

    public X509Certificate2 Certificate { get; }

    public string Pem { get; }

    public string SignatureAlgorithm => Certificate.GetRSAPublicKey() is null ? "ECDSAWithSHA256" : "SHA256WithRSA";

    /// <summary>Makes a self-signed root.</summary>
    public static PkiIssuer Create(
        string name,
        string commonName,
        string keyType,
        int keyBits,
        DateTimeOffset now,
        TimeSpan ttl
    )
    {
        var key = NewKey(keyType.Length == 0 ? "rsa" : keyType, keyBits);
        var subject = PkiNames.Distinguished(commonName);
        var request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: true,
                hasPathLengthConstraint: false,
                0,
                critical: true
            )
        );
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true)
        );
        var identifier = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        request.CertificateExtensions.Add(identifier);
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(identifier)
        );
        var generator = key is RSA issuing
            ? X509SignatureGenerator.CreateForRSA(issuing, RSASignaturePadding.Pkcs1)
            : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
        using var certificate = request.Create(
            request.SubjectName,
            generator,
            now.AddSeconds(-30),
            now + ttl,
            NewSerial()
        );
        return new PkiIssuer(
            name,
            key is RSA own ? certificate.CopyWithPrivateKey(own) : certificate.CopyWithPrivateKey((ECDsa)key),
            generator
        );
    }

    /// <summary>A new key; the caller owns it.</summary>
    public static AsymmetricAlgorithm NewKey(string type, int bits) =>
        (type, bits) switch
        {
            ("rsa", 0 or 2048 or 3072 or 4096) => RSA.Create(bits == 0 ? 2048 : bits),
            ("ec", 0 or 256) => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            ("ec", 384) => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            ("ec", 521) => ECDsa.Create(ECCurve.NamedCurves.nistP521),
            _ => throw new DevVaultRefusal(
                400,
                "this development Vault makes rsa (2048, 3072, 4096) "
                    + $"and ec (256, 384, 521) keys, not \"{type}\" of {bits} bits"
            ),
        };

    /// <summary>
    /// Signs a leaf: the names and usages that the role permits, from 30 s ago until the TTL is over.
    /// </summary>
    public X509Certificate2 Sign(
        CertificateRequest request,
        PkiNames names,
        RoleSettings role,
        IReadOnlyList<string> crlAddresses,
        DateTimeOffset now,
        TimeSpan ttl
    )
    {
        if (now + ttl > Certificate.NotAfter)
        {
            throw new DevVaultRefusal(
                400,
                $"cannot satisfy request, as TTL would result in notAfter of {DevVaultDuration.ToText(now + ttl)} that is beyond the expiration of the CA certificate at {DevVaultDuration.ToText(new DateTimeOffset(Certificate.NotAfter))}"
            );
        }

        var usage = role.List("key_usage").Aggregate(X509KeyUsageFlags.None, (flags, word) => flags | Usage(word));
        if (usage != X509KeyUsageFlags.None)
        {
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        }

        var purposes = new OidCollection();
        AddPurpose("server_flag", "1.3.6.1.5.5.7.3.1");
        AddPurpose("client_flag", "1.3.6.1.5.5.7.3.2");
        if (purposes.Count > 0)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, critical: false));
        }

        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
                Certificate,
                includeKeyIdentifier: true,
                includeIssuerAndSerial: false
            )
        );
        if (names.Alternative is { } alternative)
        {
            request.CertificateExtensions.Add(alternative);
        }

        if (crlAddresses.Count > 0)
        {
            request.CertificateExtensions.Add(
                CertificateRevocationListBuilder.BuildCrlDistributionPointExtension(crlAddresses)
            );
        }

        return request.Create(
            Certificate.SubjectName,
            _generator,
            now - role.Duration("not_before_duration"),
            now + ttl,
            NewSerial()
        );

        void AddPurpose(string setting, string oid)
        {
            if (role.Flag(setting))
            {
                purposes.Add(new Oid(oid));
            }
        }
    }

    private static X509KeyUsageFlags Usage(string word) =>
        Enum.TryParse<X509KeyUsageFlags>(word, ignoreCase: true, out var flag)
            ? flag
            : throw new DevVaultRefusal(400, $"unknown key usage \"{word}\"");

    /// <summary>20 random bytes, positive and of full length.</summary>
    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(20);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }
}
