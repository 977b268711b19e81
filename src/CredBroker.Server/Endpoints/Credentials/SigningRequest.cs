using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary>
/// Reads a PKCS#10 request: one PEM block, a key that is neither weak nor absurdly large, and a self-signature that
/// proves possession of it. The key is judged before the signature is checked, so that an enormous one costs nothing.
/// </summary>
internal static class SigningRequest
{
    /// <summary>Longer texts are refused unread.</summary>
    public const int MaxLength = 16 * 1024;

    private const string Label = "CERTIFICATE REQUEST";
    private const string EcPublicKey = "1.2.840.10045.2.1";

    /// <summary>The parsed request, or what is wrong with it (CB6009).</summary>
    public static Checked<CertificateSigningRequest> Parse(string pem)
    {
        if (pem.Length > MaxLength)
        {
            return Invalid($"The CSR is longer than {MaxLength} characters.");
        }

        if (
            !PemEncoding.TryFind(pem, out var block)
            || pem[block.Label] != Label
            || pem.Trim().Length != pem[block.Location].Length
        )
        {
            return Invalid($"The CSR is not one PEM block labelled {Label}.");
        }

        try
        {
            var unproven = Load(pem, CertificateRequestLoadOptions.SkipSignatureValidation);
            if (KeyFault(unproven.PublicKey) is { } fault)
            {
                return Invalid(fault);
            }

            Load(pem, CertificateRequestLoadOptions.Default);
            return new CertificateSigningRequest(pem, unproven.PublicKey.ExportSubjectPublicKeyInfo());
        }
        catch (Exception e)
            when (e is CryptographicException or AsnContentException or ArgumentException or NotSupportedException)
        {
            return Invalid("The CSR cannot be read, or its self-signature does not verify.");
        }
    }

    private static Refusal Invalid(string fault) => new(RefusalCode.CsrInvalid, fault);

    private static CertificateRequest Load(string pem, CertificateRequestLoadOptions options) =>
        CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, options, RSASignaturePadding.Pkcs1);

    private static string? KeyFault(PublicKey key)
    {
        using var rsa = key.GetRSAPublicKey();
        if (rsa is not null)
        {
            if (rsa.KeySize is < 2048 or > 8192)
            {
                return "The CSR's RSA key must have 2,048 to 8,192 bits.";
            }

            // A long exponent makes each check of a signature expensive, before anybody is known.
            return rsa.ExportParameters(includePrivateParameters: false).Exponent is { Length: > 4 }
                ? "The CSR's RSA key must have an exponent of at most 32 bits, such as 65537."
                : null;
        }

        return key.Oid.Value == EcPublicKey && CurveOf(key) is "1.2.840.10045.3.1.7" or "1.3.132.0.34"
            ? null
            : "The CSR's key must be RSA, or EC on P-256 or P-384.";
    }

    /// <summary>
    /// The named curve (RFC 5480, section 2.1.1), from the parameters as they were sent: whether the point lies on it is
    /// found out, once, when the signature is checked. Null for parameters of any other kind.
    /// </summary>
    /// <exception cref="AsnContentException">There are no parameters, or they are no DER.</exception>
    private static string? CurveOf(PublicKey key)
    {
        var parameters = new AsnReader(key.EncodedParameters?.RawData ?? [], AsnEncodingRules.DER);
        if (parameters.PeekTag() != Asn1Tag.ObjectIdentifier)
        {
            return null;
        }

        var curve = parameters.ReadObjectIdentifier();
        parameters.ThrowIfNotEmpty();
        return curve;
    }
}
