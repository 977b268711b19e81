using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>What a real Keycloak realm handed out; see Vectors/README.md.</summary>
public sealed class KeycloakVectorTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(Vector.KeycloakTime);

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("triage-agent")]
    [InlineData("es-agent")]
    [InlineData("ps-agent")]
    [InlineData("at-jwt-agent")]
    public async Task A_real_access_token_is_accepted_though_it_has_several_audiences(string name)
    {
        _fixture.With(Realm());
        var identity = await _fixture.AcceptAsync(Vector.Token($"keycloak/{name}.jwt"));
        Assert.Equal(ProofMethod.Oidc, identity.Proof);
        Assert.Equal(Vector.KeycloakIssuer, identity.Issuer);
        Assert.Equal(name, identity.Workload);
        Assert.Equal("", identity.Instance);
        Assert.Equal("", identity.SpiffeId);
        Assert.Equal(["azp", "realm_access"], identity.Claims.Keys.Order());
        Assert.Equal(name, identity.Claims["azp"].GetString());
        Assert.Equal(3, identity.Claims["realm_access"].GetProperty("roles").GetArrayLength());
    }

    [Fact]
    public async Task EdDSA_is_a_clear_refusal()
    {
        _fixture.With(Realm());
        var refusal = await _fixture.RefuseAsync(Vector.Token("keycloak/eddsa-agent.jwt"));
        Assert.Equal(RefusalCode.AlgorithmNotAccepted, refusal.Code);
        Assert.Contains("RS256, RS384, RS512, ES256", refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HMAC_is_refused()
    {
        _fixture.With(Realm());
        await _fixture.RefuseAsync(RefusalCode.AlgorithmNotAccepted, Vector.Token("keycloak/hs-agent.jwt"));
    }

    [Fact]
    public async Task A_token_for_another_audience_is_refused()
    {
        _fixture.With(Realm());
        await _fixture.RefuseAsync(RefusalCode.AudienceNotAccepted, Vector.Token("keycloak/no-audience-agent.jwt"));
        await _fixture.RefuseAsync(RefusalCode.AudienceNotAccepted, Vector.Token("keycloak/human-id-token.jwt"));
    }

    [Fact]
    public async Task A_persons_access_token_is_refused_by_a_forbidden_claim()
    {
        var realm = Realm();
        realm.ForbiddenClaims.Add("sid");
        _fixture.With(realm);
        await _fixture.RefuseAsync(RefusalCode.ClaimForbidden, Vector.Token("keycloak/human-access-token.jwt"));
        await _fixture.AcceptAsync(Vector.Token("keycloak/triage-agent.jwt"));
    }

    [Fact]
    public async Task A_persons_access_token_is_refused_by_a_required_claim()
    {
        var realm = Realm();
        realm.RequiredClaims.Add(new() { Claim = "preferred_username", Prefix = "service-account-" });
        _fixture.With(realm);
        await _fixture.RefuseAsync(RefusalCode.ClaimMissing, Vector.Token("keycloak/human-access-token.jwt"));
        await _fixture.AcceptAsync(Vector.Token("keycloak/triage-agent.jwt"));
    }

    [Fact]
    public async Task Without_such_settings_nothing_tells_the_person_apart() // which is why the settings exist
    {
        _fixture.With(Realm());
        Assert.Equal(
            "human-app",
            (await _fixture.AcceptAsync(Vector.Token("keycloak/human-access-token.jwt"))).Workload
        );
    }

    [Fact]
    public async Task A_key_is_used_with_its_own_algorithm_only()
    {
        var realm = Realm();
        realm.Algorithms = ["PS256"];
        _fixture.With(realm);
        await _fixture.AcceptAsync(Vector.Token("keycloak/ps-agent.jwt"));
        await _fixture.RefuseAsync(RefusalCode.AlgorithmNotAccepted, Vector.Token("keycloak/triage-agent.jwt"));
    }

    [Fact]
    public async Task An_expired_token_is_refused_and_not_before_its_end()
    {
        _fixture.With(Realm());
        var token = Vector.Token("keycloak/triage-agent.jwt");
        var end = (await _fixture.AcceptAsync(token)).ProofExpiresAt;
        Assert.Equal(new DateTimeOffset(2026, 11, 24, 7, 8, 19, TimeSpan.Zero), end);
        _fixture.Time.SetUtcNow(end.AddSeconds(29));
        await _fixture.AcceptAsync(token);
        _fixture.Time.SetUtcNow(end.AddSeconds(30));
        await _fixture.RefuseAsync(RefusalCode.TokenExpired, token);
    }

    [Fact]
    public async Task A_new_key_is_found_when_the_JWKS_has_it_and_the_cool_down_is_over()
    {
        var file = _fixture.Write("jwks.json", File.ReadAllText(Vector.Path("keycloak/jwks.json")));
        var realm = Realm();
        realm.Jwks.File = file;
        _fixture.With(realm);
        var token = Vector.Token("keycloak/after-rotation.jwt");
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, token);

        _fixture.Write("jwks.json", File.ReadAllText(Vector.Path("keycloak/jwks.rotating.json")));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, token);
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("triage-agent", (await _fixture.AcceptAsync(token)).Workload);
        await _fixture.AcceptAsync(Vector.Token("keycloak/triage-agent.jwt"));
    }

    [Fact]
    public async Task The_issuer_is_compared_exactly()
    {
        foreach (
            var issuer in new[]
            {
                Vector.KeycloakIssuer + "/",
                "https://IDP.example/realms/agents",
                "https://idp.example/realms/Agents",
                "https://idp.example/realms",
            }
        )
        {
            using var other = new IdentityFixture(Vector.KeycloakTime);
            var realm = Realm();
            realm.Issuer = issuer;
            other.With(realm);
            await other.RefuseAsync(RefusalCode.IssuerUnknown, Vector.Token("keycloak/triage-agent.jwt"));
        }
    }

    private static IssuerOptions Realm() =>
        new()
        {
            Issuer = Vector.KeycloakIssuer,
            Jwks = new() { File = Vector.Path("keycloak/jwks.json") },
            WorkloadClaim = "azp",
            Claims = ["azp", "realm_access"],
        };
}
