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
    public const string PeopleIssuer = "https://people.bench.example";
    public const string PeopleAudience = "credbroker-admin";

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
        var privateKey = _key.ExportRSAPrivateKey();
        var tokens = new string[count];
        Parallel.For(
            0,
            count,
            () => ImportKey(privateKey),
            (i, _, own) =>
            {
                tokens[i] = Mint(workload, $"{workload}-{i}", own);
                return own;
            },
            own => own.Dispose()
        );
        return tokens;
    }

    /// <summary>A token of this instance of the worker.</summary>
    public string MintOne(string instance) => Mint("worker", instance, _key);

    /// <summary>A token of an admin's and auditor's, valid for two hours.</summary>
    public string MintAdmin()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return Sign(
            $$"""
            {"iss":"{{PeopleIssuer}}","aud":"{{PeopleAudience}}","sub":"admin-1","roles":["admin","auditor"],
             "iat":{{now - 10}},"exp":{{now + 7200}}}
            """,
            _key
        );
    }

    public void Dispose() => _key.Dispose();

    private static string Mint(string workload, string instance, RSA key)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return Sign(
            $$"""
            {"iss":"{{Issuer}}","aud":"{{Audience}}",
             "sub":"{{workload}}","instance":"{{instance}}","jti":"{{instance}}","run":"{{instance}}",
             "iat":{{now - 10}},"nbf":{{now - 10}},"exp":{{now + 7200}}}
            """,
            key
        );
    }

    private static string Sign(string payload, RSA key)
    {
        var header = Encode(Encoding.UTF8.GetBytes($$"""{"alg":"RS256","typ":"JWT","kid":"{{KeyId}}"}"""));
        var signed = $"{header}.{Encode(Encoding.UTF8.GetBytes(payload))}";
        var signature = key.SignData(
            Encoding.ASCII.GetBytes(signed),
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        );
        return $"{signed}.{Encode(signature)}";
    }

    private static RSA ImportKey(byte[] privateKey)
    {
        var own = RSA.Create();
        own.ImportRSAPrivateKey(privateKey, out _);
        return own;
    }

    public static string Encode(byte[]? bytes) => Base64Url.EncodeToString(bytes);
}
