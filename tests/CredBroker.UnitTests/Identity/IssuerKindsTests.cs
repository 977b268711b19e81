using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>
/// Tokens as issuers in use write them where they differ from the plainest form: without <c>sub</c> or <c>aud</c>, with
/// another <c>typ</c>, keys without a name, SPIFFE IDs from an OIDC issuer. What is near to each and not meant is
/// refused.
/// </summary>
public sealed class IssuerKindsTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);
    private readonly IssuerOptions _issuer;

    public IssuerKindsTests()
    {
        _issuer = new IssuerOptions
        {
            Issuer = TestToken.Issuer,
            Jwks = new() { File = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.Rsa.Jwk())) },
        };
        _fixture.With(_issuer);
    }

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("application/jwt")]
    [InlineData("application/JWT")]
    [InlineData("jwt")]
    public async Task The_media_type_of_a_JWT_is_accepted_in_full(string type) =>
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, header: h => h["typ"] = type));

    [Theory]
    [InlineData("application/jwt; charset=utf-8")]
    [InlineData("application/secevent+jwt")]
    [InlineData("application/")]
    public async Task Another_media_type_is_refused(string type) =>
        await _fixture.RefuseAsync(
            RefusalCode.HeaderNotAccepted,
            TestToken.Oidc(TestKey.Rsa, header: h => h["typ"] = type)
        );

    [Fact]
    public async Task A_token_without_sub_is_known_by_the_claim_that_names_its_workload()
    {
        _issuer.WorkloadClaim = "client_id";
        var identity = await _fixture.AcceptAsync(WithoutSubject(p => p["client_id"] = "abc"));
        Assert.Equal(("client_id=abc", "abc"), (identity.Subject, identity.Workload));

        var other = await _fixture.AcceptAsync(WithoutSubject(p => p["client_id"] = "xyz"));
        Assert.False(identity.IsSameCaller(other));
        await _fixture.RefuseAsync(RefusalCode.SubjectInvalid, WithoutSubject(_ => { }));
    }

    [Theory]
    [InlineData("client_id=abc")]
    [InlineData("client_id=")]
    public async Task A_sub_cannot_pass_for_a_token_without_one(string subject)
    {
        _issuer.WorkloadClaim = "client_id";
        await _fixture.RefuseAsync(
            RefusalCode.SubjectInvalid,
            TestToken.Oidc(TestKey.Rsa, p => (p["sub"], p["client_id"]) = (subject, "xyz"))
        );
    }

    [Fact]
    public async Task Where_sub_names_the_workload_it_cannot_be_left_out() =>
        await _fixture.RefuseAsync(RefusalCode.SubjectInvalid, WithoutSubject(p => p["client_id"] = "abc"));

    [Fact]
    public async Task An_issuer_that_writes_no_audience_is_held_to_the_claims_that_replace_it()
    {
        AcceptNoAudience();
        await _fixture.AcceptAsync(WithoutAudience("7f3k"));
        await _fixture.RefuseAsync(RefusalCode.ClaimMissing, WithoutAudience("another-client"));
        await _fixture.RefuseAsync(RefusalCode.ClaimMissing, WithoutAudience(null));
    }

    [Fact]
    public async Task A_token_that_does_say_whom_it_is_for_is_still_held_to_it()
    {
        AcceptNoAudience();
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p["client_id"] = "7f3k"));
        foreach (var audience in new object[] { "another", Array.Empty<string>(), "", 1 })
        {
            await _fixture.RefuseAsync(
                RefusalCode.AudienceNotAccepted,
                TestToken.Oidc(TestKey.Rsa, p => (p["client_id"], p["aud"]) = ("7f3k", audience))
            );
        }
    }

    [Fact]
    public async Task Without_that_setting_a_token_needs_an_audience()
    {
        _issuer.RequiredClaims = [new() { Claim = "client_id", Values = ["7f3k"] }];
        await _fixture.RefuseAsync(RefusalCode.AudienceNotAccepted, WithoutAudience("7f3k"));
    }

    [Fact]
    public async Task A_single_key_without_a_kid_is_meant_whatever_the_token_calls_it()
    {
        Keys(Nameless(TestKey.Rsa));
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa.As("any")));
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, TestToken.Oidc(TestKey.OtherRsa.As("any")));
    }

    [Fact]
    public async Task Beside_another_key_one_without_a_kid_is_not_meant_by_a_kid()
    {
        Keys(Nameless(TestKey.Rsa), TestKey.Ec.Jwk());
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Oidc(TestKey.Rsa.As("any")));
    }

    [Fact]
    public async Task A_single_key_with_a_kid_is_meant_by_that_alone() =>
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Oidc(TestKey.Rsa.As("any")));

    [Theory]
    [InlineData("RS384")]
    [InlineData("RS512")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public async Task The_stronger_hashes_need_no_setting(string algorithm)
    {
        var key = TestKey.For(algorithm);
        Keys(key.Jwk());
        await _fixture.AcceptAsync(TestToken.Oidc(key));
    }

    [Fact]
    public async Task An_issuer_that_speaks_for_a_trust_domain_gives_SPIFFE_identities_of_it()
    {
        SpeakFor("agents.example");
        var identity = await _fixture.AcceptAsync(Svid());
        Assert.Equal(
            ("spiffe://agents.example", TestToken.SpiffeId, TestToken.SpiffeId, "agents.example"),
            (identity.Issuer, identity.Subject, identity.SpiffeId, identity.TrustDomain)
        );
        Assert.Equal(("triage", "7", ProofMethod.JwtSvid), (identity.Workload, identity.Instance, identity.Proof));
    }

    [Fact]
    public async Task It_speaks_for_no_other_trust_domain_and_for_nothing_else()
    {
        SpeakFor("agents.example");
        await _fixture.RefuseAsync(
            RefusalCode.TrustDomainUnknown,
            Svid(p => p["sub"] = "spiffe://others.example/agents/triage/7")
        );
        await _fixture.RefuseAsync(RefusalCode.IssuerUnknown, Svid(p => p["sub"] = "agent-1"));
        await _fixture.RefuseAsync(RefusalCode.SubjectInvalid, Svid(p => p["sub"] = "SPIFFE://agents.example/a"));
    }

    [Fact]
    public async Task Nobody_else_speaks_for_that_trust_domain()
    {
        SpeakFor("agents.example");
        var other = _fixture.Write("other.json", TestKey.Jwks(TestKey.OtherRsa.Jwk()));
        _fixture.With(
            new IssuerOptions
            {
                Issuer = "https://other.example",
                Jwks = new() { File = other },
            }
        );
        await _fixture.RefuseAsync(RefusalCode.IssuerUnknown, Svid(p => p["iss"] = "https://other.example"));
        await _fixture.RefuseAsync(RefusalCode.IssuerUnknown, Svid(p => p.Remove("iss")));
        await _fixture.RefuseAsync(
            RefusalCode.IssuerUnknown,
            TestToken.Svid(TestKey.OtherRsa, p => p["iss"] = "https://other.example")
        );
        await _fixture.RefuseAsync(
            RefusalCode.KeyUnknown,
            TestToken.Svid(TestKey.OtherRsa, p => p["iss"] = TestToken.Issuer)
        );
    }

    [Fact]
    public async Task Its_tokens_meet_the_rules_of_a_JWT_SVID()
    {
        SpeakFor("agents.example");
        string[] two = ["credbroker", "other"];
        await _fixture.RefuseAsync(RefusalCode.AudienceNotAccepted, Svid(p => p["aud"] = two));
        await _fixture.RefuseAsync(
            RefusalCode.HeaderNotAccepted,
            TestToken.Svid(TestKey.Rsa, p => p["iss"] = TestToken.Issuer, h => h["typ"] = "at+jwt")
        );
    }

    [Fact]
    public async Task An_issuer_that_speaks_for_none_gives_no_SPIFFE_identity() =>
        await _fixture.RefuseAsync(RefusalCode.TrustDomainUnknown, Svid());

    private void AcceptNoAudience()
    {
        _issuer.AcceptsNoAudience = true;
        _issuer.RequiredClaims = [new() { Claim = "client_id", Values = ["7f3k"] }];
    }

    private void SpeakFor(string trustDomain) =>
        (_issuer.TrustDomain, _issuer.PathTemplate) = (trustDomain, "/agents/{workload}/{instance}");

    private void Keys(params IEnumerable<System.Text.Json.Nodes.JsonObject> keys) =>
        _issuer.Jwks.File = _fixture.Write("other-keys.json", TestKey.Jwks(keys));

    private static System.Text.Json.Nodes.JsonObject Nameless(TestKey key)
    {
        var jwk = key.Jwk();
        jwk.Remove("kid");
        return jwk;
    }

    private static string Svid(Action<System.IdentityModel.Tokens.Jwt.JwtPayload>? change = null) =>
        TestToken.Svid(
            TestKey.Rsa,
            p =>
            {
                p["iss"] = TestToken.Issuer;
                change?.Invoke(p);
            }
        );

    private static string WithoutSubject(Action<System.IdentityModel.Tokens.Jwt.JwtPayload> change) =>
        TestToken.Oidc(
            TestKey.Rsa,
            p =>
            {
                p.Remove("sub");
                change(p);
            }
        );

    private static string WithoutAudience(string? client) =>
        TestToken.Oidc(
            TestKey.Rsa,
            p =>
            {
                p.Remove("aud");
                if (client is not null)
                {
                    p["client_id"] = client;
                }
            }
        );
}
