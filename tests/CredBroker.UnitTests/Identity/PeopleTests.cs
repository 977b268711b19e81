using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>People's tokens, and the line between people and workloads.</summary>
public sealed class PeopleTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);
    private readonly IssuerOptions _people;

    public PeopleTests()
    {
        var jwks = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.Rsa.Jwk()));
        _people = new IssuerOptions
        {
            Issuer = TestToken.Issuer,
            Use = "people",
            Audience = "credbroker-admin",
            Jwks = new() { File = jwks },
            RolesClaim = "/realm_access/roles",
            GroupsClaim = "groups",
            Roles =
            {
                ["admin"] = ["cb-admins", "root"],
                ["auditor"] = ["cb-auditors"],
                ["viewer"] = ["cb-admins", "staff"],
            },
        };
        _fixture.With(_people).With(new TrustDomainOptions { Name = "elsewhere.example", BundleFile = "/nonexistent" });
    }

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task A_person_who_comes_back_costs_no_signature_check()
    {
        var token = Token("");
        Assert.Same(await _fixture.AcceptPersonAsync(token), await _fixture.AcceptPersonAsync(token));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(-10)]
    public async Task While_the_brokers_clock_and_the_stores_disagree_an_admin_is_in_time_by_either(int daysOff)
    {
        var token = Token("");
        _fixture.StoreTime = _fixture.Time.GetUtcNow();
        _fixture.Time.AdjustTime(_fixture.Time.GetUtcNow().AddDays(daysOff));
        Assert.NotNull(await _fixture.AcceptPersonAsync(token, PersonClock.Either));
        var reason = daysOff > 0 ? RefusalCode.TokenExpired : RefusalCode.TokenNotYetValid;
        await _fixture.RefusePersonAsync(reason, token);

        _fixture.StoreTime = _fixture.Time.GetUtcNow();
        var outcome = await _fixture.VerifyPersonAsync(token, PersonClock.Either);
        Assert.Equal(reason, Assert.IsType<PersonOutcome.Refused>(outcome).Refusal.Code);
    }

    [Theory]
    [InlineData(10, 0)]
    [InlineData(0, 10)]
    public async Task By_the_later_clock_no_token_counts_that_has_ended_by_either(int hostAhead, int storeAhead)
    {
        var (token, now) = (Token(""), _fixture.Time.GetUtcNow());
        await _fixture.AcceptPersonAsync(token, PersonClock.Later);
        _fixture.Time.AdjustTime(now.AddDays(hostAhead));
        _fixture.StoreTime = now.AddDays(storeAhead);

        var outcome = await _fixture.VerifyPersonAsync(token, PersonClock.Later);
        Assert.Equal(RefusalCode.TokenExpired, Assert.IsType<PersonOutcome.Refused>(outcome).Refusal.Code);
    }

    [Fact]
    public async Task A_person_has_the_roles_that_the_issuers_settings_map()
    {
        var person = await _fixture.AcceptPersonAsync(
            Token(
                """
                "realm_access":{"roles":["cb-admins","other"]},"groups":["finance","ops"],
                """
            )
        );
        Assert.Equal((TestToken.Issuer, "agent-1"), (person.Issuer, person.Subject));
        Assert.Equal([PersonRole.Admin, PersonRole.Viewer], person.Roles.Order());
        Assert.Equal(["finance", "ops"], person.Groups);
        Assert.Equal(43, person.ProofHash.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""" "realm_access":{"roles":[]}, """)]
    [InlineData(""" "realm_access":{"roles":"none"}, """)]
    [InlineData(""" "realm_access":{"roles":["admin"]}, """)]
    [InlineData(""" "realm_access":{"roles":["CB-ADMINS"," cb-admins"]}, """)]
    [InlineData(""" "realm_access":{"roles":{"cb-admins":true}}, """)]
    [InlineData(""" "realm_access":{"roles":[["cb-admins"]]}, """)]
    [InlineData(""" "realm_access":["cb-admins"],"roles":["cb-admins"], """)]
    [InlineData(""" "/realm_access/roles":["cb-admins"], """)]
    public async Task Nothing_but_a_mapped_value_in_its_place_gives_a_role(string claims) =>
        Assert.Empty((await _fixture.AcceptPersonAsync(Token(claims))).Roles);

    [Fact]
    public async Task A_persons_token_goes_through_the_same_checks()
    {
        await _fixture.RefusePersonAsync(RefusalCode.TokenMalformed, "x");
        await _fixture.RefusePersonAsync(
            RefusalCode.AudienceNotAccepted,
            TestToken.Oidc(TestKey.Rsa, p => p["aud"] = "other")
        );
        await _fixture.RefusePersonAsync(
            RefusalCode.SignatureInvalid,
            TestToken.Oidc(TestKey.OtherRsa.As("rsa-1"), p => p["aud"] = "credbroker-admin")
        );
        await _fixture.RefusePersonAsync(
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Rsa, p => (p["aud"], p["exp"]) = ("credbroker-admin", TestToken.Seconds(-60)))
        );
        await _fixture.RefusePersonAsync(
            RefusalCode.IssuerUnknown,
            TestToken.Oidc(TestKey.Rsa, p => (p["aud"], p["iss"]) = ("credbroker-admin", "https://other.example"))
        );
        await _fixture.RefusePersonAsync(
            RefusalCode.SubjectInvalid,
            TestToken.Oidc(TestKey.Rsa, p => (p["aud"], p["sub"]) = ("credbroker-admin", ""))
        );
    }

    [Fact]
    public async Task The_common_audience_is_not_peoples() =>
        await _fixture.RefusePersonAsync(RefusalCode.AudienceNotAccepted, TestToken.Oidc(TestKey.Rsa));

    [Fact]
    public async Task A_token_of_a_people_only_issuer_is_no_workloads()
    {
        await _fixture.RefuseAsync(RefusalCode.WrongKindOfIdentity, Token(""));
        await _fixture.RefuseAsync(RefusalCode.WrongKindOfIdentity, TestToken.Oidc(TestKey.Rsa));
    }

    [Fact]
    public async Task A_token_of_a_workloads_only_issuer_is_no_persons()
    {
        _fixture.With(new IssuerOptions { Issuer = "https://ci.example", Jwks = _people.Jwks });
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p["iss"] = "https://ci.example"));
        await _fixture.RefusePersonAsync(
            RefusalCode.WrongKindOfIdentity,
            TestToken.Oidc(TestKey.Rsa, p => p["iss"] = "https://ci.example")
        );
    }

    [Fact]
    public async Task A_JWT_SVID_is_no_persons_token()
    {
        _fixture.With(
            new TrustDomainOptions
            {
                Name = "agents.example",
                BundleFile = _fixture.Write("b.json", TestKey.Bundle(1, TestKey.Rsa.Jwk("jwt-svid"))),
            }
        );
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa));
        await _fixture.RefusePersonAsync(RefusalCode.WrongKindOfIdentity, TestToken.Svid(TestKey.Rsa));
        await _fixture.RefusePersonAsync(
            RefusalCode.WrongKindOfIdentity,
            TestToken.Oidc(TestKey.Rsa, p => (p["aud"], p["sub"]) = ("credbroker-admin", "SPIFFE:x"))
        );
    }

    [Fact]
    public async Task An_issuer_of_both_kinds_tells_them_apart_by_audience_and_a_token_for_both_is_neither()
    {
        _fixture.With(new IssuerOptions { Issuer = TestToken.Issuer, Jwks = _people.Jwks });
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa));
        await _fixture.AcceptPersonAsync(Token(""));
        await _fixture.RefuseAsync(RefusalCode.WrongKindOfIdentity, Token(""));
        await _fixture.RefusePersonAsync(RefusalCode.WrongKindOfIdentity, TestToken.Oidc(TestKey.Rsa));
        var both = TestToken.Oidc(TestKey.Rsa, p => p["aud"] = (string[])["credbroker", "credbroker-admin"]);
        await _fixture.RefuseAsync(RefusalCode.WrongKindOfIdentity, both);
        await _fixture.RefusePersonAsync(RefusalCode.WrongKindOfIdentity, both);
    }

    private static string Token(string claims) =>
        TestToken.Raw(
            TestKey.Rsa,
            TestToken.OidcClaims(claims).Replace("\"credbroker\"", "\"credbroker-admin\"", StringComparison.Ordinal)
        );
}
