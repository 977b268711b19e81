using System.Buffers.Text;
using System.IdentityModel.Tokens.Jwt;
using System.Text;

namespace CredBroker.Testing.Identity;

/// <summary>
/// Tokens of the tests' own making, written by System.IdentityModel.Tokens.Jwt, which the product does not use; hostile
/// ones byte by byte.
/// </summary>
internal static class TestToken
{
    public static readonly DateTimeOffset Now = new(2027, 1, 15, 12, 0, 0, TimeSpan.Zero);
    public const string Issuer = "https://issuer.example";
    private static readonly string[] OurAudienceAlone = ["credbroker"];
    public const string SpiffeId = "spiffe://agents.example/agents/triage/7";

    /// <summary>An ordinary OIDC token of ten minutes, changed as the test likes.</summary>
    public static string Oidc(TestKey key, Action<JwtPayload>? change = null, Action<JwtHeader>? header = null) =>
        Write(
            key,
            new JwtPayload
            {
                ["iss"] = Issuer,
                ["sub"] = "agent-1",
                ["aud"] = "credbroker",
                ["iat"] = Seconds(0),
                ["exp"] = Seconds(600),
            },
            change,
            header
        );

    /// <summary>An ordinary JWT-SVID of five minutes, changed as the test likes.</summary>
    public static string Svid(TestKey key, Action<JwtPayload>? change = null, Action<JwtHeader>? header = null) =>
        Write(
            key,
            new JwtPayload
            {
                ["sub"] = SpiffeId,
                ["aud"] = OurAudienceAlone,
                ["iat"] = Seconds(0),
                ["exp"] = Seconds(300),
            },
            change,
            header
        );

    /// <summary>Exactly these bytes as header and payload, signed.</summary>
    public static string Raw(TestKey key, string header, string payload)
    {
        var input = $"{Encode(header)}.{Encode(payload)}";
        return $"{input}.{Base64Url.EncodeToString(key.Sign(input))}";
    }

    /// <summary>Exactly this payload under an ordinary header, signed.</summary>
    public static string Raw(TestKey key, string payload) =>
        Raw(key, $$"""{"alg":"{{key.Algorithm}}","kid":"{{key.KeyId}}"}""", payload);

    /// <summary>
    /// The claims of <see cref="Oidc"/> as JSON text, with one more member in front or other members altogether.
    /// </summary>
    public static string OidcClaims(string extra = "") =>
        $$"""{{{extra}}"iss":"{{Issuer}}","sub":"agent-1","aud":"credbroker","iat":{{Seconds(0)}}"""
        + $$""","exp":{{Seconds(600)}}}""";

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public static long Seconds(int fromNow) => Now.ToUnixTimeSeconds() + fromNow;

    private static string Write(
        TestKey key,
        JwtPayload payload,
        Action<JwtPayload>? change,
        Action<JwtHeader>? changeHeader
    )
    {
        change?.Invoke(payload);
        var header = new JwtHeader(key.Credentials);
        changeHeader?.Invoke(header);
        return new JwtSecurityTokenHandler().WriteToken(new JwtSecurityToken(header, payload));
    }
}
