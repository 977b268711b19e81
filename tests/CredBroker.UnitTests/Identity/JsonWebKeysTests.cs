using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Core.Identity.Verification;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

public sealed class JsonWebKeysTests
{
    [Fact]
    public void Keycloaks_JWKS_gives_three_keys_and_says_why_two_are_skipped()
    {
        Assert.True(JsonWebKeys.TryRead(Vector.Bytes("keycloak/jwks.json"), out var jwks, out _));
        Assert.Equal(
            ["ES256", "PS256", "RS256"],
            jwks.Anchors.JwtKeys.Select(k => Assert.Single(k.Algorithms)).Order()
        );
        Assert.Equal(["entry 0: its use is not sig", "entry 2: its kty is neither RSA nor EC"], jwks.Skipped);
    }

    [Fact]
    public void A_key_that_names_its_algorithm_verifies_with_no_other()
    {
        var keys = Read(TestKey.Rsa.Jwk());
        Assert.Single(keys.Candidates("rsa-1", "RS256"));
        Assert.Empty(keys.Candidates("rsa-1", "PS256"));
        Assert.Empty(keys.Candidates("rsa-1", "RS512"));
        Assert.Empty(keys.Candidates("rsa-1", "ES256"));
        Assert.Empty(keys.Candidates("rsa-2", "RS256"));
    }

    [Fact]
    public void A_key_without_alg_verifies_with_those_of_its_type_or_curve()
    {
        var keys = Read(TestKey.Rsa.Jwk(use: null, withAlgorithm: false), TestKey.Ec.Jwk(withAlgorithm: false));
        foreach (var algorithm in new[] { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" })
        {
            Assert.Single(keys.Candidates("rsa-1", algorithm));
        }

        Assert.Single(keys.Candidates("ec-1", "ES256"));
        Assert.Empty(keys.Candidates("ec-1", "ES384"));
        Assert.Empty(keys.Candidates("ec-1", "RS256"));
        Assert.Empty(keys.Candidates("rsa-1", "ES256"));
        Assert.Empty(keys.Candidates("rsa-1", "HS256"));
    }

    [Fact]
    public void Without_a_kid_every_key_that_fits_is_a_candidate_up_to_eight()
    {
        var keys = Read([.. Enumerable.Range(0, 12).Select(i => TestKey.Ec.As($"ec-{i}").Jwk()), TestKey.Rsa.Jwk()]);
        Assert.Equal(8, keys.Candidates(null, "ES256").Count);
        Assert.Single(keys.Candidates(null, "RS256"));
    }

    [Fact]
    public void Keys_without_a_kid_serve_only_tokens_without_one_unless_there_is_a_single_key()
    {
        var jwk = TestKey.Rsa.Jwk();
        jwk.Remove("kid");
        var alone = Read(jwk);
        Assert.Single(alone.Candidates(null, "RS256"));
        Assert.Single(alone.Candidates("rsa-1", "RS256"));
        Assert.Empty(alone.Candidates("rsa-1", "PS256"));

        var beside = Read((JsonObject)jwk.DeepClone(), TestKey.OtherRsa.Jwk());
        Assert.Equal(2, beside.Candidates(null, "RS256").Count);
        Assert.Empty(beside.Candidates("rsa-1", "RS256"));
    }

    [Fact]
    public void A_modulus_that_the_flawed_chips_made_is_skipped()
    {
        // As those chips build their primes: a power of 65537 modulo the product of the first primes, and a multiple.
        var product = Enumerable
            .Range(2, 166)
            .Where(n => Enumerable.Range(2, n - 2).All(d => n % d != 0))
            .Aggregate(System.Numerics.BigInteger.One, (all, prime) => all * prime);
        var power = System.Numerics.BigInteger.ModPow(65537, 123_456_789, product);
        var modulus = power + (product * ((System.Numerics.BigInteger.One << 2047) / product + 1));
        var jwk = TestKey.Rsa.Jwk();
        jwk["n"] = Base64Url.EncodeToString(modulus.ToByteArray(isUnsigned: true, isBigEndian: true));

        Assert.True(JsonWebKeys.TryRead(Encoding.UTF8.GetBytes(TestKey.Jwks(jwk)), out var jwks, out _));

        Assert.Empty(jwks.Anchors.JwtKeys);
        Assert.Contains("ROCA fingerprint", Assert.Single(jwks.Skipped), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Unusable =>
        new()
        {
            { """{"kty":"oct","k":"AAAA","alg":"HS256"}""", "kty" },
            { """{"kty":"oct","k":"AAAA","alg":"RS256"}""", "kty" },
            { """{"kty":"OKP","crv":"Ed25519","x":"AAAA"}""", "kty" },
            { """{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"}""", "kty" },
            { """{"kty":1}""", "kty" },
            { "{}", "kty" },
            { "[]", "no object" },
            { "null", "no object" },
            { """{"kty":"RSA","use":"enc"}""", "use" },
            { """{"kty":"RSA","use":null}""", "use" },
            { """{"kty":"RSA","use":["sig"]}""", "use" },
            { """{"kty":"RSA","n":"AQAB"}""", "base64url" },
            { """{"kty":"RSA","n":"AQAB","e":"AQ=="}""", "base64url" },
            { """{"kty":"RSA","n":"AQAB","e":"AQAB"}""", "2048" },
            { """{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}""", "curve" },
            { """{"kty":"EC","x":"AA","y":"AA"}""", "curve" },
            { """{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}""", "not on its curve" },
            { """{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}""", "base64url" },
            { """{"kty":"RSA","kid":7}""", "kid" },
            { """{"kty":"RSA","kid":""}""", "kid" },
            { """{"kty":"RSA","alg":7}""", "alg" },
        };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void An_entry_that_cannot_be_used_is_skipped_and_the_rest_is_kept(string entry, string reason)
    {
        Assert.True(
            JsonWebKeys.TryRead(
                Encoding.UTF8.GetBytes($$"""{"keys":[{{entry}},{{TestKey.Rsa.Jwk().ToJsonString()}}]}"""),
                out var jwks,
                out _
            )
        );
        Assert.Equal("rsa-1", Assert.Single(jwks.Anchors.JwtKeys).KeyId);
        Assert.Contains(reason, Assert.Single(jwks.Skipped), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alg", "HS256")]
    [InlineData("alg", "none")]
    [InlineData("alg", "ES256")]
    [InlineData("alg", "RSA-OAEP")]
    [InlineData("alg", "rs256")]
    [InlineData("e", "AQ")] // 1: every text would be its own signature
    [InlineData("e", "Ag")]
    [InlineData("e", "AAAA")]
    [InlineData("e", "AQAAAAAAAQ")]
    [InlineData("d", "AQAB")]
    public void An_RSA_key_with_a_dangerous_member_is_skipped(string name, string value)
    {
        var jwk = TestKey.Rsa.Jwk();
        jwk[name] = value;
        Assert.Empty(Read(jwk).JwtKeys);
    }

    [Fact]
    public void RSA_keys_below_2048_bits_are_skipped()
    {
        Assert.Empty(Read(WithModulus(0x7F, 256)).JwtKeys);
        Assert.Single(Read(WithModulus(0x80, 256)).JwtKeys);
        Assert.Single(Read(WithModulus(0xFF, 1024)).JwtKeys);
        Assert.Empty(Read(WithModulus(0x01, 1025)).JwtKeys);
    }

    [Fact]
    public void Leading_zeros_do_not_make_a_weak_key_strong_nor_a_good_one_another()
    {
        Assert.Empty(Read(WithModulus(0x00, 256)).JwtKeys);
        var good = TestKey.Rsa.Jwk();
        good["n"] = "AAAA" + (string)good["n"]!;
        Assert.Equal(256, Assert.Single(Read(good).JwtKeys).SignatureLength);
    }

    [Theory]
    [InlineData("""["verify"]""", true)]
    [InlineData("""["sign","verify"]""", true)]
    [InlineData("""["sign"]""", false)]
    [InlineData("[]", false)]
    [InlineData("\"verify\"", false)]
    public void Key_ops_must_include_verify_where_it_is_given(string operations, bool usable)
    {
        var jwk = TestKey.Rsa.Jwk();
        jwk["key_ops"] = JsonNode.Parse(operations);
        Assert.Equal(usable, Read(jwk).JwtKeys.Count == 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":{}}""")]
    [InlineData("""{"keys":[],"keys":[]}""")]
    [InlineData("<html>")]
    public void A_document_that_is_no_JWKS_is_a_fault(string text)
    {
        Assert.False(JsonWebKeys.TryRead(Encoding.UTF8.GetBytes(text), out _, out var fault));
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void A_document_with_too_many_keys_or_bytes_is_a_fault()
    {
        Assert.True(
            JsonWebKeys.TryRead(
                Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', Enumerable.Repeat("{}", 100))}}]}"""),
                out _,
                out _
            )
        );
        Assert.False(
            JsonWebKeys.TryRead(
                Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', Enumerable.Repeat("{}", 101))}}]}"""),
                out _,
                out _
            )
        );
        Assert.False(
            JsonWebKeys.TryRead(
                Encoding.UTF8.GetBytes($$"""{"keys":[]{{new string(' ', JsonWebKeys.MaxBytes)}}}"""),
                out _,
                out _
            )
        );
    }

    // Nothing looks for the factors of a modulus, so any odd number of the right size will do.
    private static JsonObject WithModulus(byte first, int length)
    {
        var modulus = new byte[length];
        Array.Fill(modulus, (byte)0xA5);
        modulus[0] = first;
        var jwk = TestKey.Rsa.Jwk();
        jwk["n"] = System.Buffers.Text.Base64Url.EncodeToString(modulus);
        return jwk;
    }

    private static TrustAnchors Read(params JsonObject[] keys)
    {
        Assert.True(
            JsonWebKeys.TryRead(Encoding.UTF8.GetBytes(TestKey.Jwks(keys)), out var jwks, out var fault),
            fault
        );
        return jwks.Anchors;
    }
}
