using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Testing.Identity;

/// <summary>A signing key of a test's, and its public half as a JWK.</summary>
internal sealed class TestKey
{
    public static readonly TestKey Rsa = new("rsa-1", "RS256");
    public static readonly TestKey OtherRsa = new("rsa-2", "RS256");
    public static readonly TestKey Ec = new("ec-1", "ES256");

    private readonly AsymmetricAlgorithm _key;

    private TestKey(string keyId, string algorithm, AsymmetricAlgorithm? key = null)
    {
        KeyId = keyId;
        Algorithm = algorithm;
        _key =
            key
            ?? algorithm switch
            {
                "ES256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
                "ES384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
                "ES512" => ECDsa.Create(ECCurve.NamedCurves.nistP521),
                _ => RSA.Create(2048),
            };
    }

    public string KeyId { get; }

    public string Algorithm { get; }

    public SigningCredentials Credentials => new(SecurityKey, Algorithm);

    /// <summary>What a naive verifier could take for an HMAC secret: the public key's PEM text.</summary>
    public byte[] PublicPem =>
        Encoding.ASCII.GetBytes(
            _key is RSA rsa ? rsa.ExportSubjectPublicKeyInfoPem() : ((ECDsa)_key).ExportSubjectPublicKeyInfoPem()
        );

    private SecurityKey SecurityKey =>
        _key is RSA rsa
            ? new RsaSecurityKey(rsa) { KeyId = KeyId }
            : new ECDsaSecurityKey((ECDsa)_key) { KeyId = KeyId };

    public static TestKey New(string keyId, string algorithm) => new(keyId, algorithm);

    /// <summary>A key that fits the algorithm; RSA ones share their numbers, which are slow to find.</summary>
    public static TestKey For(string algorithm) => algorithm[0] == 'E' ? New("k", algorithm) : Rsa.As("k", algorithm);

    /// <summary>The same key under another name or with another algorithm.</summary>
    public TestKey As(string? keyId = null, string? algorithm = null) =>
        new(keyId ?? KeyId, algorithm ?? Algorithm, _key);

    public byte[] Sign(string input)
    {
        var bytes = Encoding.UTF8.GetBytes(input);
        var hash = new HashAlgorithmName($"SHA{Algorithm[2..]}");
        return _key is RSA rsa
            ? rsa.SignData(bytes, hash, Algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)
            : ((ECDsa)_key).SignData(bytes, hash);
    }

    public JsonObject Jwk(string? use = "sig", bool withAlgorithm = true)
    {
        var jwk = new JsonObject { ["kid"] = KeyId };
        if (use is not null)
        {
            jwk["use"] = use;
        }

        if (withAlgorithm)
        {
            jwk["alg"] = Algorithm;
        }

        if (_key is RSA rsa)
        {
            var parameters = rsa.ExportParameters(false);
            jwk["kty"] = "RSA";
            jwk["n"] = Base64Url.EncodeToString(parameters.Modulus);
            jwk["e"] = Base64Url.EncodeToString(parameters.Exponent);
        }
        else
        {
            var parameters = ((ECDsa)_key).ExportParameters(false);
            jwk["kty"] = "EC";
            jwk["crv"] = _key.KeySize switch
            {
                256 => "P-256",
                384 => "P-384",
                _ => "P-521",
            };
            jwk["x"] = Base64Url.EncodeToString(parameters.Q.X);
            jwk["y"] = Base64Url.EncodeToString(parameters.Q.Y);
        }

        return jwk;
    }

    public static string Jwks(params IEnumerable<JsonObject> keys) =>
        new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString();

    public static string Bundle(ulong? sequence, params IEnumerable<JsonObject> keys)
    {
        var bundle = new JsonObject { ["keys"] = new JsonArray([.. keys]) };
        if (sequence is not null)
        {
            bundle["spiffe_sequence"] = sequence;
        }

        return bundle.ToJsonString();
    }
}
