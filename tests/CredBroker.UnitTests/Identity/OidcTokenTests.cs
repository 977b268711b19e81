using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>
/// OIDC workload tokens, honest and hostile. Every hostile one differs from an accepted one in the one thing that its
/// test names.
/// </summary>
public sealed class OidcTokenTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);
    private readonly IssuerOptions _issuer;

    public OidcTokenTests()
    {
        _issuer = new IssuerOptions
        {
            Issuer = TestToken.Issuer,
            Jwks = new() { File = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.Rsa.Jwk(), TestKey.Ec.Jwk())) },
        };
        _fixture.With(_issuer);
    }

    public void Dispose() => _fixture.Dispose();

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

    [Theory]
    [InlineData("""{"aud":"other"}""")]
    [InlineData("""{"aud":"credbroker/"}""")]
    [InlineData("""{"aud":"Credbroker"}""")]
    [InlineData("""{"aud":""}""")]
    [InlineData("""{"aud":[]}""")]
    [InlineData("""{"aud":null}""")]
    [InlineData("""{"aud":1}""")]
    [InlineData("""{"aud":{"credbroker":1}}""")]
    [InlineData("""{"aud":["credbroker",1]}""")]
    [InlineData("""{"aud":["credbroker",["x"]]}""")]
    [InlineData("""{"aud":["credbroker",""]}""")]
    [InlineData("""{"aud":"credbroker other"}""")]
    [InlineData("{}")]
    public async Task The_audience_must_be_there_and_contain_us(string audience) =>
        await _fixture.RefuseAsync(
            RefusalCode.AudienceNotAccepted,
            TestToken.Raw(TestKey.Rsa, Claims("aud", audience))
        );

    [Fact]
    public async Task Several_audiences_are_fine_if_ours_is_among_them()
    {
        await _fixture.AcceptAsync(
            TestToken.Raw(TestKey.Rsa, Claims("aud", """{"aud":["other","credbroker","third"]}"""))
        );
        await _fixture.AcceptAsync(TestToken.Raw(TestKey.Rsa, Claims("aud", """{"aud":["credbroker"]}""")));
    }

    [Fact]
    public async Task An_issuers_own_audience_takes_the_place_of_the_common_one()
    {
        _issuer.Audience = "https://broker.example";
        await _fixture.RefuseAsync(RefusalCode.AudienceNotAccepted, TestToken.Oidc(TestKey.Rsa));
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p["aud"] = "https://broker.example"));
    }

    [Fact]
    public async Task A_token_without_an_end_is_refused() =>
        await _fixture.RefuseAsync(RefusalCode.TokenExpired, TestToken.Oidc(TestKey.Rsa, p => p.Remove("exp")));

    [Theory]
    [InlineData("exp", -29, true)]
    [InlineData("exp", -30, false)]
    [InlineData("nbf", 30, true)]
    [InlineData("nbf", 31, false)]
    [InlineData("nbf", 1_000_000_000, false)]
    [InlineData("iat", 30, true)]
    [InlineData("iat", 31, false)]
    public async Task Times_count_with_the_configured_skew(string claim, int fromNow, bool accepted)
    {
        var token = TestToken.Oidc(TestKey.Rsa, p => p[claim] = TestToken.Seconds(fromNow));
        if (accepted)
        {
            await _fixture.AcceptAsync(token);
        }
        else
        {
            await _fixture.RefuseAsync(claim == "exp" ? RefusalCode.TokenExpired : RefusalCode.TokenNotYetValid, token);
        }
    }

    [Fact]
    public async Task The_skew_is_a_setting()
    {
        _issuer.ClockSkew = TimeSpan.Zero;
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p["exp"] = TestToken.Seconds(1)));
        await _fixture.RefuseAsync(
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Rsa, p => p["exp"] = TestToken.Seconds(0))
        );
        await _fixture.RefuseAsync(
            RefusalCode.TokenNotYetValid,
            TestToken.Oidc(TestKey.Rsa, p => p["nbf"] = TestToken.Seconds(1))
        );
    }

    [Theory]
    [InlineData("exp", "\"1900000000\"")]
    [InlineData("exp", "null")]
    [InlineData("exp", "true")]
    [InlineData("exp", "[1900000000]")]
    [InlineData("exp", "-1")]
    [InlineData("exp", "1e999")]
    [InlineData("exp", "253402300800")]
    [InlineData("exp", "9223372036854775807")]
    [InlineData("exp", "99999999999999999999999999")]
    [InlineData("nbf", "\"0\"")]
    [InlineData("iat", "{}")]
    public async Task A_time_that_is_no_sensible_number_is_refused(string claim, string value) =>
        await _fixture.RefuseAsync(
            RefusalCode.TokenMalformed,
            TestToken.Raw(TestKey.Rsa, Claims(claim, $$"""{"{{claim}}":{{value}}}"""))
        );

    [Theory]
    [InlineData("1800014400.5")]
    [InlineData("1.8000144e9")]
    [InlineData("1800014400.999999")]
    [InlineData("253402300799")]
    public async Task A_time_may_have_a_fraction_or_an_exponent(string value) =>
        await _fixture.AcceptAsync(TestToken.Raw(TestKey.Rsa, Claims("exp", $$"""{"exp":{{value}}}""")));

    [Fact]
    public async Task A_token_that_lives_longer_than_the_settings_accept_is_refused()
    {
        _issuer.MaxTokenLifetime = TimeSpan.FromMinutes(10);
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa));
        await _fixture.RefuseAsync(
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Rsa, p => p["exp"] = TestToken.Seconds(601))
        );
        await _fixture.RefuseAsync(
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Rsa, p => p["iat"] = TestToken.Seconds(-1))
        );
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p.Remove("iat")));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"sub":""}""")]
    [InlineData("""{"sub":1}""")]
    [InlineData("""{"sub":null}""")]
    [InlineData("""{"sub":"a\nb"}""")]
    [InlineData("""{"sub":"a\u007fb"}""")]
    [InlineData("""{"sub":"a\u202eb"}""")]
    [InlineData("""{"sub":"agent-1\u200b"}""")]
    [InlineData("""{"sub":"a\u2028b"}""")]
    [InlineData("""{"sub":"\ufeffagent-1"}""")]
    [InlineData("""{"sub":"agent-1\udb40\udc61"}""")]
    [InlineData("""{"sub":"agent-1\u3164"}""")]
    [InlineData("""{"sub":"agent-1\ufe0f"}""")]
    [InlineData("""{"sub":"agent-1\u2800"}""")]
    [InlineData("""{"sub":"agent-1 "}""")]
    public async Task The_subject_must_be_a_printable_text(string subject) =>
        await _fixture.RefuseAsync(RefusalCode.SubjectInvalid, TestToken.Raw(TestKey.Rsa, Claims("sub", subject)));

    [Theory]
    [InlineData("sub", """{"sub":["agent-1"]}""")]
    [InlineData("sub", """{"sub":{"agent-1":1}}""")]
    [InlineData("azp", """{"azp":["a"]}""")]
    [InlineData("azp", """{"azp":true}""")]
    [InlineData("jti", """{"jti":{}}""")]
    [InlineData("jti", """{"jti":false}""")]
    [InlineData("actort", """{"actort":[]}""")]
    [InlineData("exp", """{"exp":"soon"}""")]
    [InlineData("nbf", """{"nbf":"soon"}""")]
    [InlineData("iat", """{"iat":[]}""")]
    public async Task A_registered_claim_of_another_type_is_refused_by_its_name(string name, string claim)
    {
        var refusal = await _fixture.RefuseAsync(TestToken.Raw(TestKey.Rsa, Claims(name, claim)));
        Assert.Equal(RefusalCode.TokenMalformed, refusal.Code);
        Assert.StartsWith($"The token's '{name}' is not a ", refusal.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"iss":1}""")]
    [InlineData("""{"iss":["https://issuer.example"]}""")]
    [InlineData("""{"iss":"https://issuer.example/"}""")]
    [InlineData("""{"iss":"https://issuer.example#"}""")]
    [InlineData("""{"iss":"https://ISSUER.example"}""")]
    [InlineData("""{"iss":"http://issuer.example"}""")]
    [InlineData("""{"iss":" https://issuer.example"}""")]
    [InlineData("""{"iss":""}""")]
    public async Task The_issuer_must_be_exactly_a_configured_one(string iss) =>
        await _fixture.RefuseAsync(RefusalCode.IssuerUnknown, TestToken.Raw(TestKey.Rsa, Claims("iss", iss)));

    [Fact]
    public async Task A_claim_twice_is_refused_wherever_it_stands()
    {
        await _fixture.RefuseAsync(
            RefusalCode.TokenMalformed,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"sub\":\"admin\","))
        );
        await _fixture.RefuseAsync(
            RefusalCode.TokenMalformed,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"s\\u0075b\":\"admin\","))
        );
        await _fixture.RefuseAsync(
            RefusalCode.TokenMalformed,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"act\":{\"a\":1,\"a\":2},"))
        );
    }

    [Fact]
    public async Task Required_claims_are_matched_by_value_prefix_or_presence()
    {
        _issuer.RequiredClaims =
        [
            new() { Claim = "client_id" },
            new() { Claim = "repository_owner_id", Values = ["77", "78"] },
            new() { Claim = "job_workflow_ref", Prefix = "acme/deploy/" },
            new() { Claim = "groups", Values = ["agents"] },
        ];
        const string good = """
            "client_id":"x","repository_owner_id":77,
            "job_workflow_ref":"acme/deploy/.github/workflows/a.yml@refs/heads/main","groups":["people","agents"],
            """;
        await _fixture.AcceptAsync(TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims(good)));
        foreach (
            var (from, to) in new[]
            {
                ("\"client_id\":\"x\",", ""),
                ("\"client_id\":\"x\"", "\"client_id\":null"),
                ("77", "79"),
                ("77", "\"770\""),
                ("77", "[79]"),
                ("acme/deploy/", "acme/deploy-evil/"),
                ("\"acme/", "\"evil acme/"),
                ("\"agents\"", "\"agents2\""),
                ("[\"people\",\"agents\"]", "\"people agents\""),
                ("[\"people\",\"agents\"]", "{\"agents\":1}"),
            }
        )
        {
            var bad = good.Replace(from, to, StringComparison.Ordinal);
            Assert.NotEqual(good, bad);
            await _fixture.RefuseAsync(RefusalCode.ClaimMissing, TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims(bad)));
        }
    }

    [Fact]
    public async Task A_forbidden_claim_refuses_even_as_null()
    {
        _issuer.ForbiddenClaims = ["sid", "/act/sub"];
        await _fixture.AcceptAsync(TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"act\":{},")));
        await _fixture.RefuseAsync(
            RefusalCode.ClaimForbidden,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"sid\":null,"))
        );
        await _fixture.RefuseAsync(
            RefusalCode.ClaimForbidden,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"act\":{\"sub\":\"x\"},"))
        );
    }

    [Fact]
    public async Task A_token_that_is_bound_to_a_key_is_no_bearers()
    {
        await _fixture.RefuseAsync(
            RefusalCode.ClaimForbidden,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"cnf\":{\"jkt\":\"x\"},"))
        );
        await _fixture.RefuseAsync(
            RefusalCode.ClaimForbidden,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"cnf\":null,"))
        );
    }

    [Fact]
    public async Task A_security_event_about_an_agent_is_not_that_agents_token() =>
        await _fixture.RefuseAsync(
            RefusalCode.ClaimForbidden,
            TestToken.Raw(
                TestKey.Rsa,
                TestToken.OidcClaims("\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}},")
            )
        );

    [Fact]
    public async Task A_configured_workload_or_instance_claim_must_be_in_every_token()
    {
        _issuer.WorkloadClaim = "azp";
        _issuer.InstanceClaim = "/kubernetes.io/pod/uid";
        await _fixture.AcceptAsync(
            TestToken.Raw(
                TestKey.Rsa,
                TestToken.OidcClaims(
                    """
                    "azp":"a","kubernetes.io":{"pod":{"uid":"u"}},
                    """
                )
            )
        );
        foreach (
            var claims in new[]
            {
                """ "azp":"a", """,
                """ "azp":"a","kubernetes.io":{"pod":{"uid":""}}, """,
                """ "azp":"a","kubernetes.io":{"pod":"uid"}, """,
                """ "kubernetes.io":{"pod":{"uid":"u"}}, """,
                """ "azp":"a\tb","kubernetes.io":{"pod":{"uid":"u"}}, """,
            }
        )
        {
            await _fixture.RefuseAsync(
                RefusalCode.ClaimMissing,
                TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims(claims))
            );
        }
    }

    [Fact]
    public async Task Control_characters_in_claims_that_policy_sees_are_refused()
    {
        _issuer.Claims = ["seen"];
        await _fixture.AcceptAsync(TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"address\":\"street\\ncity\",")));
        await _fixture.RefuseAsync(
            RefusalCode.TokenMalformed,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"seen\":{\"a\":[\"x\\u001by\"]},"))
        );
        await _fixture.RefuseAsync(
            RefusalCode.TokenMalformed,
            TestToken.Raw(TestKey.Rsa, TestToken.OidcClaims("\"seen\":{\"a\\u0007\":1},"))
        );
    }

    [Fact]
    public async Task A_subject_that_looks_like_a_SPIFFE_ID_never_comes_from_an_OIDC_issuer()
    {
        foreach (
            var subject in new[]
            {
                "spiffe://agents.example/agents/triage/7",
                "SPIFFE://agents.example/x",
                "Spiffe:x",
                "spiffe:",
            }
        )
        {
            var refusal = await _fixture.RefuseAsync(TestToken.Oidc(TestKey.Rsa, p => p["sub"] = subject));
            Assert.True(refusal.Code is RefusalCode.SubjectInvalid or RefusalCode.TrustDomainUnknown);
        }

        var escaped = TestToken.Raw(TestKey.Rsa, Claims("sub", """{"sub":"\u0073piffe://agents.example/x"}"""));
        await _fixture.RefuseAsync(RefusalCode.TrustDomainUnknown, escaped);
        Assert.Equal(
            "",
            (
                await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p["sub"] = "x-spiffe://agents.example/x"))
            ).SpiffeId
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

    // The claims of an ordinary token with one of them replaced by the member of the given object, or left out.
    private static string Claims(string name, string replacement)
    {
        var claims = System.Text.Json.Nodes.JsonNode.Parse(TestToken.OidcClaims())!.AsObject();
        claims.Remove(name);
        var rest = claims.ToJsonString()[1..];
        return replacement == "{}" ? "{" + rest : replacement[..^1] + "," + rest;
    }

    private static string Tampered(string token)
    {
        var at = token.LastIndexOf('.') + 10;
        return token[..at] + (token[at] == 'A' ? 'B' : 'A') + token[(at + 1)..];
    }
}
