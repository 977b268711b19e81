using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Samples.Quickstart;

/// <summary>A certificate revocation list (RFC 5280, section 5), its signature checked with the issuer's key.</summary>
internal sealed class RevocationList
{
    private readonly HashSet<string> _serials = [];

    /// <summary>Reads a list; throws <see cref="CryptographicException"/> where it is not the issuer's.</summary>
    public RevocationList(ReadOnlyMemory<byte> der, X509Certificate2 issuer)
    {
        var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var signed = list.ReadEncodedValue();
        list.ReadSequence();
        var signature = list.ReadBitString(out _);
        using var key =
            issuer.GetECDsaPublicKey()
            ?? throw new CryptographicException("The dev CA's key is an elliptic curve key.");
        if (!key.VerifyData(signed.Span, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))
        {
            throw new CryptographicException("The revocation list is not signed by this issuer.");
        }

        var body = new AsnReader(signed, AsnEncodingRules.DER).ReadSequence();
        body.ReadInteger();
        body.ReadSequence();
        body.ReadSequence();
        body.ReadUtcTime();
        body.ReadUtcTime();
        if (body.HasData && body.PeekTag() == Asn1Tag.Sequence)
        {
            for (var entries = body.ReadSequence(); entries.HasData; )
            {
                _serials.Add(Convert.ToHexString(entries.ReadSequence().ReadIntegerBytes().Span).TrimStart('0'));
            }
        }
    }

    /// <summary>Whether the certificate was revoked.</summary>
    public bool Contains(X509Certificate2 certificate) => _serials.Contains(certificate.SerialNumber.TrimStart('0'));
}
