using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Testing.Identity;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Identity;

/// <summary>
/// Proofs verified with nothing but Core, and keys from a file: as a command-line tool or a proxy does it that has no
/// broker at hand.
/// </summary>
public sealed class StaticTrustTests
{
    private static readonly TrustDomainRules AgentsExample = new()
    {
        TrustDomain = "agents.example",
        PathTemplate = PathTemplate.TryParse("/agents/{workload}/{instance}", out var template, out _)
            ? template
            : null,
        Audience = "credbroker",
        Algorithms = [.. SigningAlgorithm.All],
        ClockSkew = TimeSpan.FromSeconds(30),
    };

    private static readonly WorkloadIssuerRules Realm = new()
    {
        Issuer = Vector.KeycloakIssuer,
        Audience = "credbroker",
        Algorithms = SigningAlgorithm.Default,
        ClockSkew = TimeSpan.FromSeconds(30),
        WorkloadClaim = Claim("azp"),
    };

    private static readonly PeopleIssuerRules People = new()
    {
        Issuer = Vector.KeycloakIssuer,
        Audience = "credbroker",
        Algorithms = SigningAlgorithm.Default,
        ClockSkew = TimeSpan.FromSeconds(30),
        RolesClaim = Claim("/realm_access/roles"),
        Roles = new Dictionary<PersonRole, IReadOnlyList<string>> { [PersonRole.Viewer] = ["offline_access"] },
    };

    [Fact]
    public async Task A_JWT_SVID_verifies_with_a_bundle_from_a_file()
    {
        var outcome = await VerifyAsync(
            "spire/agents.example/triage-7.jwt",
            Vector.SpireTime,
            new TrustedIssuer(AgentsExample, Bundle("agents.example.bundle"))
        );
        var identity = Assert.IsType<VerificationOutcome.Verified>(outcome).Identity;
        Assert.Equal("spiffe://agents.example/agents/triage/7", identity.SpiffeId);
        Assert.Equal(("triage", "7"), (identity.Workload, identity.Instance));
        Assert.Null(identity.ConfirmationKey);
    }

    [Fact]
    public async Task An_OIDC_token_verifies_with_a_JWKS_from_a_file()
    {
        var outcome = await VerifyAsync(
            "keycloak/triage-agent.jwt",
            Vector.KeycloakTime,
            new TrustedIssuer(Realm, Jwks("jwks"))
        );
        Assert.Equal("triage-agent", Assert.IsType<VerificationOutcome.Verified>(outcome).Identity.Workload);
    }

    [Fact]
    public async Task Each_token_is_verified_with_its_own_issuers_keys_only()
    {
        TrustedIssuer[] both = [new(AgentsExample, Jwks("jwks")), new(Realm, Bundle("agents.example.bundle"))];
        Assert.Equal(
            RefusalCode.KeyUnknown,
            Refused(await VerifyAsync("spire/agents.example/triage-7.jwt", Vector.SpireTime, both)).Code
        );
        Assert.Equal(
            RefusalCode.KeyUnknown,
            Refused(await VerifyAsync("keycloak/triage-agent.jwt", Vector.KeycloakTime, both)).Code
        );
    }

    [Fact]
    public async Task An_unknown_key_is_refused_without_the_hope_of_a_newer_one()
    {
        var refusal = Refused(
            await VerifyAsync(
                "spire/agents.example/after-rotation.jwt",
                Vector.SpireTime,
                new TrustedIssuer(AgentsExample, Bundle("agents.example.bundle"))
            )
        );
        Assert.Equal(RefusalCode.KeyUnknown, refusal.Code);
        Assert.Null(refusal.RetryAfter);
    }

    [Fact]
    public async Task A_person_verifies_too()
    {
        var time = new FakeTimeProvider(Vector.KeycloakTime);
        var verifier = new PeopleVerifier(
            new TokenRouting([new TrustedIssuer(People, Jwks("jwks"))]),
            new TokenVerification(),
            new(),
            time,
            () => time.GetUtcNow()
        );
        var outcome = await verifier.VerifyAsync(
            new SecretText(Vector.Token("keycloak/human-access-token.jwt")),
            "",
            PersonClock.Brokers,
            TestContext.Current.CancellationToken
        );
        Assert.NotEmpty(Assert.IsType<PersonOutcome.Verified>(outcome).Person.Subject);
    }

    [Fact]
    public void An_issuer_is_trusted_once() =>
        Assert.Throws<ArgumentException>(() =>
            new TokenRouting([new TrustedIssuer(Realm, Jwks("jwks")), new TrustedIssuer(Realm, Jwks("jwks.rotating"))])
        );

    [Theory]
    [InlineData("credbroker", "credbroker", "credbroker", "credbroker", false)]
    [InlineData("credbroker", null, "admins", null, false)]
    [InlineData("credbroker", "admins", "admins", null, false)]
    [InlineData("credbroker", null, "admins", "credbroker", false)]
    [InlineData("credbroker", "admins", "admins", "credbroker", true)]
    public void An_issuer_of_workloads_and_people_must_have_them_told_apart(
        string workloads,
        string? notWorkloads,
        string people,
        string? notPeople,
        bool accepted
    )
    {
        var keys = Jwks("jwks");
        TrustedIssuer[] both =
        [
            new(Realm with { Audience = workloads, OtherKindsAudience = notWorkloads }, keys),
            new(People with { Audience = people, OtherKindsAudience = notPeople }, keys),
        ];
        Assert.Equal(accepted, Record.Exception(() => new TokenRouting(both)) is null);
    }

    private static ValueTask<VerificationOutcome> VerifyAsync(
        string token,
        DateTimeOffset now,
        params TrustedIssuer[] issuers
    )
    {
        var time = new FakeTimeProvider(now);
        return new WorkloadVerifier(new TokenRouting(issuers), new TokenVerification(), new(), time).VerifyAsync(
            new IdentityProof.Bearer(new SecretText(Vector.Token(token))),
            TestContext.Current.CancellationToken
        );
    }

    private static Refusal Refused(VerificationOutcome outcome) =>
        Assert.IsType<VerificationOutcome.Refused>(outcome).Refusal;

    private static StaticTrust Bundle(string file)
    {
        Assert.True(TrustBundle.TryRead(Vector.Bytes($"spire/{file}.json"), out var bundle, out var fault), fault);
        return new StaticTrust(bundle.Anchors);
    }

    private static StaticTrust Jwks(string file)
    {
        Assert.True(JsonWebKeys.TryRead(Vector.Bytes($"keycloak/{file}.json"), out var jwks, out var fault), fault);
        return new StaticTrust(jwks.Anchors);
    }

    private static ClaimPath Claim(string path) =>
        ClaimPath.TryParse(path, out var claim) ? claim : throw new ArgumentException(path, nameof(path));
}
