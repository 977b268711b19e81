using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>Which key, algorithm and type an OIDC workload token is accepted with.</summary>
public sealed class OidcTokenSignatureTests : OidcTokenTestBase
{
    [Fact]
    public async Task A_token_of_a_configured_issuer_gives_the_identity_it_states()
    {
        _issuer.InstanceClaim = "run_id";
        _issuer.WorkloadClaim = "job";
        _issuer.Claims = ["job", "nested", "absent"];
        var token = TestToken.Raw(
            TestKey.Rsa,
            TestToken.OidcClaims(
                """
                "job":"deploy","run_id":42,"nested":{"a":[1,true,null]},"secret":"unseen",
                """
            )
        );
        var identity = await _fixture.AcceptAsync(token);
        Assert.Equal(
            (TestToken.Issuer, "agent-1", "deploy", "42"),
            (identity.Issuer, identity.Subject, identity.Workload, identity.Instance)
        );
        Assert.Equal(["job", "nested"], identity.Claims.Keys.Order());
        Assert.Equal("""{"a":[1,true,null]}""", identity.Claims["nested"].GetRawText());
        Assert.Equal(TestToken.Now.AddSeconds(600), identity.ProofExpiresAt);
        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))), identity.ProofHash);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public async Task Every_algorithm_that_can_be_configured_verifies(string algorithm)
    {
        var key = TestKey.For(algorithm);
        _issuer.Algorithms = [algorithm];
        _issuer.Jwks.File = _fixture.Write("one.json", TestKey.Jwks(key.Jwk()));
        await _fixture.AcceptAsync(TestToken.Oidc(key));
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, Tampered(TestToken.Oidc(key)));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    [InlineData("")]
    [InlineData("rs256")]
    [InlineData("RS256 ")]
    [InlineData("HS256")]
    [InlineData("EdDSA")]
    [InlineData("RS1")]
    [InlineData("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")]
    public async Task An_algorithm_that_is_not_listed_is_refused_whatever_the_signature(string algorithm)
    {
        var header = TestToken.Encode($$"""{"alg":"{{algorithm}}","kid":"rsa-1"}""");
        var unsigned = $"{header}.{TestToken.Encode(TestToken.OidcClaims())}";
        await _fixture.RefuseAsync(
            RefusalCode.AlgorithmNotAccepted,
            $"{unsigned}.{Base64Url.EncodeToString(TestKey.Rsa.Sign(unsigned))}"
        );
        await _fixture.RefuseAsync(RefusalCode.AlgorithmNotAccepted, $"{unsigned}.AA");
        await _fixture.RefuseAsync(RefusalCode.TokenMalformed, $"{unsigned}.");
    }

    [Fact]
    public async Task HMAC_keyed_with_the_public_key_is_refused()
    {
        var unsigned =
            $"{TestToken.Encode("""{"alg":"HS256","kid":"rsa-1"}""")}.{TestToken.Encode(TestToken.OidcClaims())}";
        var mac = Base64Url.EncodeToString(
            HMACSHA256.HashData(TestKey.Rsa.PublicPem, Encoding.ASCII.GetBytes(unsigned))
        );
        await _fixture.RefuseAsync(RefusalCode.AlgorithmNotAccepted, $"{unsigned}.{mac}");
        // And as an RSA signature it is none.
        var asRsa =
            $"{TestToken.Encode("""{"alg":"RS256","kid":"rsa-1"}""")}.{TestToken.Encode(TestToken.OidcClaims())}.{mac}";
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, asRsa);
    }

    [Fact]
    public async Task A_JWKS_cannot_bring_in_a_shared_secret()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        _issuer.Jwks.File = _fixture.Write(
            "oct.json",
            $$"""{"keys":[{"kty":"oct","kid":"s","alg":"HS256","k":"{{Base64Url.EncodeToString(secret)}}"}]}"""
        );
        var unsigned =
            $"{TestToken.Encode("""{"alg":"HS256","kid":"s"}""")}.{TestToken.Encode(TestToken.OidcClaims())}";
        await _fixture.RefuseAsync(
            RefusalCode.AlgorithmNotAccepted,
            $"{unsigned}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(unsigned)))}"
        );
    }

    [Fact]
    public async Task Another_key_under_the_same_kid_is_refused()
    {
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, TestToken.Oidc(TestKey.OtherRsa.As("rsa-1")));
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, TestToken.Oidc(TestKey.New("ec-1", "ES256")));
    }

    [Fact]
    public async Task A_key_under_the_other_types_algorithm_is_refused()
    {
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Oidc(TestKey.Rsa.As("ec-1")));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Oidc(TestKey.Rsa.As(algorithm: "PS256")));
    }

    [Fact]
    public async Task One_issuers_key_never_verifies_anothers_token()
    {
        _fixture.With(
            new IssuerOptions
            {
                Issuer = "https://other.example",
                Jwks = new() { File = _fixture.Write("other.json", TestKey.Jwks(TestKey.OtherRsa.Jwk())) },
            }
        );
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.OtherRsa, p => p["iss"] = "https://other.example"));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Oidc(TestKey.OtherRsa));
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, TestToken.Oidc(TestKey.OtherRsa.As("rsa-1")));
        await _fixture.RefuseAsync(
            RefusalCode.KeyUnknown,
            TestToken.Oidc(TestKey.Rsa, p => p["iss"] = "https://other.example")
        );
    }

    [Theory]
    [InlineData("rsa-1 ")]
    [InlineData("RSA-1")]
    [InlineData("../../../../dev/null")]
    [InlineData("/etc/passwd")]
    [InlineData("jwks.json")]
    [InlineData("' OR '1'='1")]
    [InlineData("rsa-1' UNION SELECT 'x")]
    [InlineData("$(id)")]
    [InlineData("{{7*7}}")]
    [InlineData("https://attacker.example/key")]
    [InlineData("%00")]
    public async Task An_odd_kid_is_a_name_that_no_key_has(string kid) =>
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Oidc(TestKey.Rsa.As(kid)));

    [Fact]
    public async Task A_huge_kid_is_refused_before_anything_is_looked_up() =>
        await _fixture.RefuseAsync(RefusalCode.TokenMalformed, TestToken.Oidc(TestKey.Rsa.As(new string('k', 5_000))));

    [Fact]
    public async Task Without_a_kid_the_keys_that_fit_are_tried()
    {
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, header: h => h.Remove("kid")));
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Ec, header: h => h.Remove("kid")));
        await _fixture.RefuseAsync(
            RefusalCode.SignatureInvalid,
            TestToken.Oidc(TestKey.OtherRsa, header: h => h.Remove("kid"))
        );
    }

    [Fact]
    public async Task An_embedded_key_or_key_address_is_refused_even_with_a_good_signature()
    {
        await _fixture.RefuseAsync(
            RefusalCode.HeaderNotAccepted,
            TestToken.Oidc(TestKey.Rsa, header: h => h["jwk"] = "x")
        );
        await _fixture.RefuseAsync(
            RefusalCode.HeaderNotAccepted,
            TestToken.Oidc(TestKey.Rsa, header: h => h["jku"] = "https://issuer.example/jwks")
        );
        await _fixture.RefuseAsync(
            RefusalCode.HeaderNotAccepted,
            TestToken.Oidc(TestKey.Rsa, header: h => h["crit"] = "exp")
        );
        await _fixture.RefuseAsync(
            RefusalCode.HeaderNotAccepted,
            TestToken.Raw(
                TestKey.Rsa,
                """{"alg":"RS256","kid":"rsa-1","crit":["urn:x"],"urn:x":1}""",
                TestToken.OidcClaims()
            )
        );
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("JWT", true)]
    [InlineData("jwt", true)]
    [InlineData("at+jwt", true)]
    [InlineData("AT+JWT", true)]
    [InlineData("application/at+jwt", true)]
    [InlineData("", false)]
    [InlineData("JOSE", false)]
    [InlineData("dpop+jwt", false)]
    [InlineData("secevent+jwt", false)]
    [InlineData("logout+jwt", false)]
    [InlineData("wit+jwt", false)]
    [InlineData("kb+jwt", false)]
    public async Task Only_the_types_of_identity_tokens_are_accepted(string? type, bool accepted)
    {
        var token = TestToken.Raw(
            TestKey.Rsa,
            $$"""{"alg":"RS256","kid":"rsa-1"{{(type is null ? "" : $",\"typ\":\"{type}\"")}}}""",
            TestToken.OidcClaims()
        );
        if (accepted)
        {
            await _fixture.AcceptAsync(token);
        }
        else
        {
            await _fixture.RefuseAsync(RefusalCode.HeaderNotAccepted, token);
        }
    }

    [Fact]
    public async Task Each_part_of_a_token_is_signed()
    {
        var parts = TestToken.Oidc(TestKey.Rsa).Split('.');
        await _fixture.AcceptAsync(string.Join('.', parts));
        await _fixture.RefuseAsync(
            RefusalCode.SignatureInvalid,
            $"{parts[0]}.{TestToken.Encode(TestToken.OidcClaims("\"x\":1,"))}.{parts[2]}"
        );
        await _fixture.RefuseAsync(
            RefusalCode.SignatureInvalid,
            $"{TestToken.Encode("""{"alg":"RS256","kid":"rsa-1","typ":"jwt"}""")}.{parts[1]}.{parts[2]}"
        );
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, Tampered(string.Join('.', parts)));
        await _fixture.RefuseAsync(
            RefusalCode.SignatureInvalid,
            TestToken.Oidc(TestKey.Rsa, p => p["jti"] = "2").Split('.') is var other
                ? $"{parts[0]}.{parts[1]}.{other[2]}"
                : ""
        );
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xFF)]
    public async Task Degenerate_signatures_neither_verify_nor_spoil_the_key(byte value)
    {
        foreach (var key in new[] { TestKey.Rsa, TestKey.Ec })
        {
            var unsigned = TestToken.Oidc(key);
            unsigned = unsigned[..unsigned.LastIndexOf('.')];
            foreach (var length in new[] { 1, 32, 63, 64, 65, 255, 256, 257, 4096 })
            {
                var signature = new byte[length];
                Array.Fill(signature, value);
                await _fixture.RefuseAsync(
                    RefusalCode.SignatureInvalid,
                    $"{unsigned}.{Base64Url.EncodeToString(signature)}"
                );
            }

            await _fixture.AcceptAsync(TestToken.Oidc(key));
        }
    }

    [Fact]
    public async Task A_DER_encoded_ECDSA_signature_is_refused()
    {
        var token = TestToken.Oidc(TestKey.Ec);
        var raw = Base64Url.DecodeFromChars(token.AsSpan(token.LastIndexOf('.') + 1));
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(new System.Numerics.BigInteger(raw.AsSpan(0, 32), isUnsigned: true, isBigEndian: true));
            writer.WriteInteger(new System.Numerics.BigInteger(raw.AsSpan(32), isUnsigned: true, isBigEndian: true));
        }

        await _fixture.RefuseAsync(
            RefusalCode.SignatureInvalid,
            token[..(token.LastIndexOf('.') + 1)] + Base64Url.EncodeToString(writer.Encode())
        );
    }

    [Fact]
    public async Task Without_any_keys_the_refusal_says_when_to_come_back()
    {
        _issuer.Jwks.File = "/nonexistent/jwks.json";
        var refusal = await _fixture.RefuseAsync(TestToken.Oidc(TestKey.Rsa));
        Assert.Equal(RefusalCode.KeysUnavailable, refusal.Code);
        Assert.Equal(TimeSpan.FromSeconds(1), refusal.RetryAfter);
        Assert.Equal(
            [TestToken.Issuer],
            _fixture.Sources.All.Where(source => source.Current is null).Select(source => source.Name)
        );
        Assert.Equal(1, await _fixture.Sources.CountWorkloadsWithoutKeysAsync(TestContext.Current.CancellationToken));
    }

    private static string Tampered(string token)
    {
        var at = token.LastIndexOf('.') + 10;
        return token[..at] + (token[at] == 'A' ? 'B' : 'A') + token[(at + 1)..];
    }
}
