using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CredBroker.Cli.Commands.Credentials;

/// <summary>A private key that stays here, and the certificate request that proves its possession.</summary>
internal sealed class CertificateKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private CertificateKey(AsymmetricAlgorithm key) => _key = key;

    /// <summary>A new EC P-256 key.</summary>
    public static CertificateKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>An existing EC or RSA key, as unencrypted PEM.</summary>
    public static CertificateKey Load(string path)
    {
        var pem = File.ReadAllText(path);
        try
        {
            return new(Import(ECDsa.Create(), pem));
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            // Perhaps it is an RSA key.
        }

        try
        {
            return new(Import(RSA.Create(), pem));
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            throw CliException.Usage(
                $"{path} holds no private key that can be read.",
                "Give an EC or RSA key as unencrypted PEM, or let --key-out make one."
            );
        }
    }

    /// <summary>
    /// A PKCS#10 request as PEM. Its name says nothing: the certificate's names come from the verified identity.
    /// </summary>
    public string CreateRequest()
    {
        var name = new X500DistinguishedName("CN=credbroker");
        var request = _key is ECDsa ec
            ? new CertificateRequest(name, ec, HashAlgorithmName.SHA256)
            : new CertificateRequest(name, (RSA)_key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSigningRequestPem();
    }

    /// <summary>The key as PKCS#8 PEM.</summary>
    public string ToPem() => _key.ExportPkcs8PrivateKeyPem();

    public void Dispose() => _key.Dispose();

    private static T Import<T>(T algorithm, string pem)
        where T : AsymmetricAlgorithm
    {
        try
        {
            algorithm.ImportFromPem(pem);
            return algorithm;
        }
        catch
        {
            algorithm.Dispose();
            throw;
        }
    }
}
