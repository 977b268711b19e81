using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Vault.Engines;

/// <summary>
/// Compares a certificate with what was asked for: names, key, end, and that it certifies nobody else.
/// </summary>
internal static class CertificateCheck
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private const string CommonName = "2.5.4.3";

    /// <summary>How far Vault's clock may be ahead of ours.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private static readonly Asn1Tag Dns = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag Uri = new(TagClass.ContextSpecific, 6);

    /// <summary>What is wrong with it, or null.</summary>
    public static string? FaultOf(
        X509Certificate2 certificate,
        RenderedNames names,
        ReadOnlyMemory<byte> publicKey,
        DateTimeOffset asked,
        TimeSpan ttl
    )
    {
        if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(publicKey.Span))
        {
            return "it certifies another key";
        }

        var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
        if (end <= asked || end > asked + ttl + ClockSkew)
        {
            return "it ends at another time";
        }

        if (
            certificate
                .Extensions.OfType<X509BasicConstraintsExtension>()
                .Any(constraints => constraints.CertificateAuthority)
            || certificate
                .Extensions.OfType<X509KeyUsageExtension>()
                .Any(usage => (usage.KeyUsages & (X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)) != 0)
        )
        {
            return "it could sign other certificates";
        }

        try
        {
            return HasSubject(certificate, names.CommonName) && HasNames(certificate, names)
                ? null
                : "its names are not the identity's";
        }
        catch (Exception fault)
            when (fault is AsnContentException or CryptographicException or InvalidOperationException)
        {
            return "its names cannot be read";
        }
    }

    /// <summary>The subject is the common name and nothing else, or empty.</summary>
    private static bool HasSubject(X509Certificate2 certificate, string? commonName)
    {
        var parts = certificate.SubjectName.EnumerateRelativeDistinguishedNames().ToList();
        return commonName is null
            ? parts.Count == 0
            : parts is [{ HasMultipleElements: false } part]
                && part.GetSingleElementType().Value == CommonName
                && part.GetSingleElementValue() == commonName;
    }

    /// <summary>Exactly the wanted alternative names: no other, no other kind, none twice.</summary>
    private static bool HasNames(X509Certificate2 certificate, RenderedNames names)
    {
        var wanted = new HashSet<(Asn1Tag, string)>();
        if (names.Uri is { } uri)
        {
            wanted.Add((Uri, uri));
        }

        if (names.Dns is { } dns)
        {
            wanted.Add((Dns, dns));
        }

        foreach (
            var extension in certificate.Extensions.Where(extension => extension.Oid?.Value == SubjectAlternativeName)
        )
        {
            var sequence = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData)
            {
                var tag = sequence.PeekTag();
                if (
                    (tag != Uri && tag != Dns)
                    || !wanted.Remove((tag, sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag)))
                )
                {
                    return false;
                }
            }
        }

        return wanted.Count == 0;
    }
}
