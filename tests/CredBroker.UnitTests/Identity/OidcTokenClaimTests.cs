using CredBroker.Core.Requests;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>Whom an OIDC workload token is for, whom it names, and what else it must and must not say.</summary>
public sealed class OidcTokenClaimTests : OidcTokenTestBase
{
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
}
