using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>What a real SPIRE server handed out; see Vectors/README.md.</summary>
public sealed class SpireVectorTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(Vector.SpireTime);

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("agents.example")]
    [InlineData("partner.example")]
    public async Task A_real_JWT_SVID_is_accepted_with_its_path_read_by_the_template(string trustDomain)
    {
        Use(trustDomain, "bundle");
        var identity = await _fixture.AcceptAsync(Vector.Token($"spire/{trustDomain}/triage-7.jwt"));

        Assert.Equal(ProofMethod.JwtSvid, identity.Proof);
        Assert.Equal($"spiffe://{trustDomain}", identity.Issuer);
        Assert.Equal($"spiffe://{trustDomain}/agents/triage/7", identity.Subject);
        Assert.Equal(identity.Subject, identity.SpiffeId);
        Assert.Equal(trustDomain, identity.TrustDomain);
        Assert.Equal("triage", identity.Workload);
        Assert.Equal("7", identity.Instance);
        Assert.Empty(identity.Claims);
        Assert.Equal(2031, identity.ProofExpiresAt.Year);
        Assert.Equal(43, identity.ProofHash.Length);
    }

    [Theory]
    [InlineData("agents.example")]
    [InlineData("partner.example")]
    public async Task Without_a_matching_template_the_workload_is_the_whole_path(string trustDomain)
    {
        _fixture.With(
            new TrustDomainOptions
            {
                Name = trustDomain,
                BundleFile = Bundle(trustDomain, "bundle"),
                PathTemplate = "/workers/{workload}/{instance}",
            }
        );
        var identity = await _fixture.AcceptAsync(Vector.Token($"spire/{trustDomain}/triage-7.jwt"));
        Assert.Equal("/agents/triage/7", identity.Workload);
        Assert.Equal("", identity.Instance);
    }

    [Theory]
    [InlineData("agents.example")]
    [InlineData("partner.example")]
    public async Task A_JWT_SVID_for_two_audiences_or_for_another_is_refused(string trustDomain)
    {
        Use(trustDomain, "bundle");
        await _fixture.RefuseAsync(
            RefusalCode.AudienceNotAccepted,
            Vector.Token($"spire/{trustDomain}/two-audiences.jwt")
        );
        await _fixture.RefuseAsync(
            RefusalCode.AudienceNotAccepted,
            Vector.Token($"spire/{trustDomain}/other-audience.jwt")
        );
    }

    [Theory]
    [InlineData("agents.example")]
    [InlineData("partner.example")]
    public async Task A_short_lived_JWT_SVID_is_accepted_until_its_end_and_the_clock_skew(string trustDomain)
    {
        Use(trustDomain, "bundle");
        var token = Vector.Token($"spire/{trustDomain}/short-lived.jwt");
        var identity = await _fixture.AcceptAsync(token);
        _fixture.Time.SetUtcNow(identity.ProofExpiresAt.AddSeconds(29));
        await _fixture.AcceptAsync(token);
        _fixture.Time.SetUtcNow(identity.ProofExpiresAt.AddSeconds(30));
        await _fixture.RefuseAsync(RefusalCode.TokenExpired, token);
    }

    [Theory]
    [InlineData("agents.example")]
    [InlineData("partner.example")]
    public async Task After_a_rotation_only_bundles_that_have_the_new_key_accept_its_tokens(string trustDomain)
    {
        foreach (
            var (bundle, oldAccepted, newAccepted) in new[]
            {
                ("bundle", true, false),
                ("rotating.bundle", true, true),
                ("rotated.bundle", false, true),
            }
        )
        {
            using var one = new IdentityFixture(Vector.SpireTime);
            one.With(new TrustDomainOptions { Name = trustDomain, BundleFile = Bundle(trustDomain, bundle) });
            Assert.Equal(
                oldAccepted,
                await one.VerifyAsync(Vector.Token($"spire/{trustDomain}/triage-7.jwt")) is VerificationOutcome.Verified
            );
            Assert.Equal(
                newAccepted,
                await one.VerifyAsync(Vector.Token($"spire/{trustDomain}/after-rotation.jwt"))
                    is VerificationOutcome.Verified
            );
        }
    }

    [Fact]
    public async Task One_trust_domains_keys_never_verify_anothers_subjects()
    {
        // Each domain's name over the other's bundle: the key that really signed is at hand, but not under the
        // subject's own trust domain.
        _fixture.With(
            new TrustDomainOptions { Name = "agents.example", BundleFile = Bundle("partner.example", "bundle") }
        );
        _fixture.With(
            new TrustDomainOptions { Name = "partner.example", BundleFile = Bundle("agents.example", "bundle") }
        );
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, Vector.Token("spire/agents.example/triage-7.jwt"));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, Vector.Token("spire/partner.example/triage-7.jwt"));
    }

    [Fact]
    public async Task A_trust_domain_that_is_not_configured_is_refused()
    {
        Use("agents.example", "bundle");
        await _fixture.RefuseAsync(RefusalCode.TrustDomainUnknown, Vector.Token("spire/partner.example/triage-7.jwt"));
    }

    [Fact]
    public async Task A_JWT_SVID_is_never_checked_as_an_OIDC_token_even_where_its_issuer_is_configured()
    {
        // SPIRE's iss is configured as an OIDC issuer whose keys are the very keys that signed.
        var jwks = Vector.Bytes("spire/agents.example.bundle.json") is var bytes
            ? System.Text.Encoding.UTF8.GetString(bytes).Replace("jwt-svid", "sig", StringComparison.Ordinal)
            : "";
        _fixture.With(
            new IssuerOptions
            {
                Issuer = "https://oidc.agents.example",
                Jwks = new() { File = _fixture.Write("jwks.json", jwks) },
            }
        );
        await _fixture.RefuseAsync(RefusalCode.TrustDomainUnknown, Vector.Token("spire/agents.example/triage-7.jwt"));
    }

    private void Use(string trustDomain, string bundle) =>
        _fixture.With(
            new TrustDomainOptions
            {
                Name = trustDomain,
                BundleFile = Bundle(trustDomain, bundle),
                PathTemplate = "/agents/{workload}/{instance}",
            }
        );

    private static string Bundle(string trustDomain, string bundle) =>
        Vector.Path($"spire/{trustDomain}.{bundle}.json");
}
