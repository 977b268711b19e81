using System.Buffers.Text;
using System.IdentityModel.Tokens.Jwt;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Testing.Servers;

/// <summary>
/// An OIDC issuer of a test's own: a key, its JWKS as a file, and tokens written by System.IdentityModel.Tokens.Jwt,
/// which the product does not use.
/// </summary>
internal sealed class TestIssuer : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string _keyId = Guid.NewGuid().ToString("N");

    public TestIssuer(string issuer, string audience, string folder)
    {
        (Issuer, Audience) = (issuer, audience);
        JwksFile = Path.Combine(folder, $"{Guid.NewGuid():N}.jwks.json");
        File.WriteAllText(JwksFile, Jwks());
    }

    public string Issuer { get; }

    public string Audience { get; }

    /// <summary>The public keys, for <c>Identity:Issuers:n:Jwks:File</c>.</summary>
    public string JwksFile { get; }

    /// <summary>A token of ten minutes with these claims beside the usual ones.</summary>
    public string Token(string subject, Action<JwtPayload>? change = null)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var payload = new JwtPayload
        {
            ["iss"] = Issuer,
            ["sub"] = subject,
            ["aud"] = Audience,
            ["iat"] = now,
            ["exp"] = now + 600,
        };
        change?.Invoke(payload);
        var header = new JwtHeader(new SigningCredentials(new ECDsaSecurityKey(_key) { KeyId = _keyId }, "ES256"));
        return new JwtSecurityTokenHandler().WriteToken(new JwtSecurityToken(header, payload));
    }

    public void Dispose() => _key.Dispose();

    private string Jwks()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        var jwk = new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["use"] = "sig",
            ["alg"] = "ES256",
            ["kid"] = _keyId,
            ["x"] = Base64Url.EncodeToString(point.X),
            ["y"] = Base64Url.EncodeToString(point.Y),
        };
        return new JsonObject { ["keys"] = new JsonArray(jwk) }.ToJsonString();
    }
}
