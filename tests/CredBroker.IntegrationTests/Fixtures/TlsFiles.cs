using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>Server certificates of a test's own, as PEM files.</summary>
internal static class TlsFiles
{
    /// <summary>Writes a self-signed certificate of an hour and its key.</summary>
    public static string Write(string certificateFile, string keyFile, string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(
            now.AddHours(-1),
            now.AddHours(1)
        );
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return subject;
    }
}
