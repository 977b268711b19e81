using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Credentials;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Server;

public sealed class SigningRequestTests
{
    private static readonly X500DistinguishedName Subject = new("CN=agent");

    [Fact]
    public void An_ec_p256_request_is_taken_and_its_key_read()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var parsed = SigningRequest.Parse(
            new CertificateRequest(Subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem()
        );

        Assert.True(parsed.Passes(out var csr, out _));
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), csr.PublicKey.ToArray());
    }

    [Fact]
    public void An_ec_p384_request_is_taken()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Null(Fault(new CertificateRequest(Subject, key, HashAlgorithmName.SHA384).CreateSigningRequestPem()));
    }

    [Fact]
    public void An_rsa_2048_request_is_taken()
    {
        using var key = RSA.Create(2048);
        Assert.Null(Fault(Rsa(key)));
    }

    [Fact]
    public void A_weak_rsa_key_is_refused()
    {
        using var key = RSA.Create(1024);
        Assert.Contains("2,048", Fault(Rsa(key)), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_curve_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        Assert.Contains(
            "P-256",
            Fault(new CertificateRequest(Subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem()),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_ec_key_that_names_no_curve_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var oid = new Oid("1.2.840.10045.2.1");
        var none = new AsnEncodedData(oid, [0x05, 0x00]); // NULL
        var odd = new PublicKey(oid, none, new PublicKey(key).EncodedKeyValue);
        var request = new CertificateRequest(Subject, odd, HashAlgorithmName.SHA256);
        var der = request.CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(key));
        Assert.Contains("P-256", Fault(Pem(der)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_curve_that_is_described_in_full_is_refused()
    {
        using var named = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var described = ECDsa.Create(named.ExportExplicitParameters(includePrivateParameters: true));
        var request = new CertificateRequest(
            Subject,
            PublicKey.CreateFromSubjectPublicKeyInfo(described.ExportSubjectPublicKeyInfo(), out _),
            HashAlgorithmName.SHA256
        );
        var der = request.CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(named));
        Assert.Contains("P-256", Fault(Pem(der)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_point_that_does_not_lie_on_its_curve_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256).CreateSigningRequest();
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        der[der.AsSpan().IndexOf(point.Y) + point.Y!.Length - 1] ^= 1;
        Assert.Contains("cannot be read", Fault(Pem(der)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_that_was_changed_after_signing_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256).CreateSigningRequest();
        var at = der.AsSpan().IndexOf("agent"u8);
        der[at] = (byte)'A';
        Assert.Contains("self-signature", Fault(Pem(der)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_for_somebody_elses_key_is_refused()
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject, new PublicKey(other), HashAlgorithmName.SHA256);
        var der = request.CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(own));
        Assert.NotNull(Fault(Pem(der)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not PEM")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----")]
    public void What_is_no_request_is_refused(string pem) => Assert.NotNull(Fault(pem));

    [Fact]
    public void A_second_block_or_text_around_the_block_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        Assert.NotNull(Fault(pem + "\n" + pem));
        Assert.NotNull(Fault("see here:\n" + pem));
    }

    [Fact]
    public void A_private_key_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.NotNull(Fault(key.ExportPkcs8PrivateKeyPem()));
    }

    [Fact]
    public void An_oversized_text_is_refused_unread() =>
        Assert.Contains("longer", Fault(new string('A', SigningRequest.MaxLength + 1)), StringComparison.Ordinal);

    [Property(MaxTest = 200)]
    public void A_damaged_request_is_judged_without_an_exception(int position, byte value)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256).CreateSigningRequest();
        der[(int)((uint)position % (uint)der.Length)] = value;
        _ = SigningRequest.Parse(Pem(der));
    }

    /// <summary>What is wrong with the request; null when it is taken.</summary>
    private static string? Fault(string pem)
    {
        if (SigningRequest.Parse(pem).Passes(out _, out var refusal))
        {
            return null;
        }

        Assert.Equal(RefusalCode.CsrInvalid, refusal.Code);
        return refusal.Detail;
    }

    private static string Rsa(RSA key) =>
        new CertificateRequest(
            Subject,
            key,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        ).CreateSigningRequestPem();

    private static string Pem(byte[] der) => PemEncoding.WriteString("CERTIFICATE REQUEST", der);
}
