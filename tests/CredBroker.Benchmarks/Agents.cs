using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Benchmarks;

/// <summary>
/// The agents that ask: an issuer with one RSA-2048 key, and tokens of as many instances as are wanted, signed by RS256
/// before anything is measured.
/// </summary>
internal sealed class Agents : IDisposable
{
    public const string Issuer = "https://issuer.bench.example";
    public const string Audience = "credbroker";
    public const string KeyId = "bench-1";

    private readonly RSA _key = RSA.Create(2048);

    /// <summary>The issuer's public key as JWKS.</summary>
    public string Jwks
    {
        get
        {
            var parameters = _key.ExportParameters(includePrivateParameters: false);
            return $$"""
                {"keys":[{"kty":"RSA","use":"sig","alg":"RS256",
                 "kid":"{{KeyId}}","n":"{{Encode(parameters.Modulus)}}","e":"{{Encode(parameters.Exponent)}}"}]}
                """;
        }
    }

    public string PublicKeyPem => _key.ExportSubjectPublicKeyInfoPem();

    /// <summary>Tokens of <paramref name="count"/> instances of one workload, valid for two hours.</summary>
    public string[] Mint(int count, string workload = "worker")
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = Encode(Encoding.UTF8.GetBytes($$"""{"alg":"RS256","typ":"JWT","kid":"{{KeyId}}"}"""));
        var privateKey = _key.ExportRSAPrivateKey();
        var tokens = new string[count];
        Parallel.For(
            0,
            count,
            () => ImportKey(privateKey),
            (i, _, own) =>
            {
                var payload = $$"""
                    {"iss":"{{Issuer}}","aud":"{{Audience}}",
                     "sub":"{{workload}}","instance":"{{workload}}-{{i}}","jti":"{{i}}",
                     "iat":{{now - 10}},"nbf":{{now - 10}},"exp":{{now + 7200}}}
                    """;
                var signed = $"{header}.{Encode(Encoding.UTF8.GetBytes(payload))}";
                var signature = own.SignData(
                    Encoding.ASCII.GetBytes(signed),
                    HashAlgorithmName.SHA256,
                    RSASignaturePadding.Pkcs1
                );
                tokens[i] = $"{signed}.{Encode(signature)}";
                return own;
            },
            own => own.Dispose()
        );
        return tokens;
    }

    public void Dispose() => _key.Dispose();

    private static RSA ImportKey(byte[] privateKey)
    {
        var own = RSA.Create();
        own.ImportRSAPrivateKey(privateKey, out _);
        return own;
    }

    private static string Encode(byte[]? bytes) => Base64Url.EncodeToString(bytes);
}
