using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Samples.Quickstart;

/// <summary>The agent's side of a certificate.</summary>
internal static class Certificates
{
    /// <summary>
    /// A signing request for a key. Its name does not matter: the broker decides the name by the verified identity.
    /// </summary>
    public static string Request(ECDsa key) =>
        new CertificateRequest("CN=whatever-i-like", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    /// <summary>The certificate with the agent's key.</summary>
    public static X509Certificate2 WithKey(string pem, ECDsa key)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        using var both = certificate.CopyWithPrivateKey(key);
        return Usable(both);
    }

    /// <summary>
    /// The same in a form that TLS on Windows takes too: it refuses keys that were never in a key store.
    /// </summary>
    public static X509Certificate2 Usable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);

    /// <summary>The URI in the certificate's alternative names: [6] of RFC 5280's GeneralName.</summary>
    public static string UriName(X509Certificate2 certificate)
    {
        var names = certificate.Extensions["2.5.29.17"] is { } extension
            ? new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence()
            : null;
        while (names is { HasData: true })
        {
            var tag = names.PeekTag();
            if (tag.TagValue == 6)
            {
                return names.ReadCharacterString(UniversalTagNumber.IA5String, tag);
            }

            names.ReadEncodedValue();
        }

        return "";
    }
}
