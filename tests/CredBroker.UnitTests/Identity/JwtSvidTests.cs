using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>SPIFFE JWT-SVIDs, honest and hostile.</summary>
public sealed class JwtSvidTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);
    private readonly TrustDomainOptions _domain;

    public JwtSvidTests()
    {
        _domain = new TrustDomainOptions
        {
            Name = "agents.example",
            BundleFile = Bundle(1, TestKey.Rsa, TestKey.Ec),
            PathTemplate = "/agents/{workload}/{instance}",
        };
        _fixture.With(_domain);
    }

    public void Dispose() => _fixture.Dispose();

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
    public async Task The_nine_algorithms_of_the_specification_are_accepted(string algorithm)
    {
        var key = TestKey.For(algorithm);
        _domain.BundleFile = Bundle(1, key);
        Assert.Equal("triage", (await _fixture.AcceptAsync(TestToken.Svid(key))).Workload);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("EdDSA")]
    [InlineData("RS257")]
    public async Task No_other_algorithm_is(string algorithm) =>
        await _fixture.RefuseAsync(
            RefusalCode.AlgorithmNotAccepted,
            TestToken.Svid(TestKey.Rsa, header: h => h["alg"] = algorithm)
        );

    [Theory]
    [InlineData(null, true)]
    [InlineData("JWT", true)]
    [InlineData("JOSE", true)]
    [InlineData("jwt", false)]
    [InlineData("at+jwt", false)]
    [InlineData("wit+jwt", false)]
    [InlineData("", false)]
    public async Task Typ_is_absent_or_JWT_or_JOSE(string? type, bool accepted)
    {
        var token = TestToken.Svid(
            TestKey.Rsa,
            header: h =>
            {
                h.Remove("typ");
                if (type is not null)
                {
                    h["typ"] = type;
                }
            }
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

    [Theory]
    [InlineData("crit")]
    [InlineData("jku")]
    [InlineData("jwk")]
    [InlineData("x5u")]
    [InlineData("x5c")]
    public async Task Headers_that_bring_keys_or_rules_are_refused(string name) =>
        await _fixture.RefuseAsync(
            RefusalCode.HeaderNotAccepted,
            TestToken.Svid(TestKey.Rsa, header: h => h[name] = "x")
        );

    [Theory]
    [InlineData("spiffe://agents.example")]
    [InlineData("spiffe://agents.example/")]
    [InlineData("spiffe://agents.example/a//b")]
    [InlineData("spiffe://agents.example/a/../b")]
    [InlineData("spiffe://Agents.example/a")]
    [InlineData("SPIFFE://agents.example/a")]
    [InlineData("spiffe:agents.example/a")]
    [InlineData("spiffe://agents.example/a?b")]
    [InlineData("spiffe://agents.example:443/a")]
    public async Task The_subject_is_a_SPIFFE_ID_with_a_path(string subject) =>
        await _fixture.RefuseAsync(RefusalCode.SubjectInvalid, TestToken.Svid(TestKey.Rsa, p => p["sub"] = subject));

    [Fact]
    public async Task A_bound_SVID_is_no_bearers() =>
        await _fixture.RefuseAsync(RefusalCode.ClaimForbidden, TestToken.Svid(TestKey.Rsa, p => p["cnf"] = "x"));

    [Fact]
    public async Task Exp_is_required() =>
        await _fixture.RefuseAsync(RefusalCode.TokenExpired, TestToken.Svid(TestKey.Rsa, p => p.Remove("exp")));

    [Fact]
    public async Task The_audience_is_ours_and_no_other()
    {
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa, p => p["aud"] = "credbroker"));
        foreach (
            var audience in new object?[]
            {
                null,
                "",
                "other",
                new[] { "credbroker", "other" },
                new[] { "credbroker", "credbroker" },
                Array.Empty<string>(),
            }
        )
        {
            await _fixture.RefuseAsync(
                RefusalCode.AudienceNotAccepted,
                TestToken.Svid(
                    TestKey.Rsa,
                    p =>
                    {
                        p.Remove("aud");
                        if (audience is not null)
                        {
                            p["aud"] = audience;
                        }
                    }
                )
            );
        }
    }

    [Fact]
    public async Task Without_a_kid_the_trust_domains_compatible_keys_are_tried()
    {
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Ec, header: h => h.Remove("kid")));
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa, header: h => h.Remove("kid")));
        await _fixture.RefuseAsync(
            RefusalCode.SignatureInvalid,
            TestToken.Svid(TestKey.OtherRsa, header: h => h.Remove("kid"))
        );
    }

    [Fact]
    public async Task Keys_of_one_trust_domain_never_verify_anothers_subjects()
    {
        _fixture.With(
            new TrustDomainOptions
            {
                Name = "partner.example",
                BundleFile = _fixture.Write("partner.json", TestKey.Bundle(1, TestKey.OtherRsa.Jwk("jwt-svid"))),
            }
        );
        const string theirs = "spiffe://partner.example/agents/triage/7";
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.OtherRsa, p => p["sub"] = theirs));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Svid(TestKey.OtherRsa));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Svid(TestKey.Rsa, p => p["sub"] = theirs));
        // Under the other's kid, or none.
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, TestToken.Svid(TestKey.OtherRsa.As("rsa-1")));
        await _fixture.RefuseAsync(
            RefusalCode.SignatureInvalid,
            TestToken.Svid(TestKey.OtherRsa, header: h => h.Remove("kid"))
        );
    }

    [Fact]
    public async Task Only_keys_for_jwt_svid_count()
    {
        _domain.BundleFile = _fixture.Write(
            "x509.json",
            TestKey.Bundle(1, TestKey.Rsa.Jwk("x509-svid"), TestKey.Rsa.Jwk("sig"), TestKey.Rsa.Jwk(use: null))
        );
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Svid(TestKey.Rsa));
    }

    [Fact]
    public async Task A_bundle_without_keys_makes_every_SVID_invalid()
    {
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa));
        Bundle(2);
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Svid(TestKey.Rsa));
    }

    [Fact]
    public async Task The_issuer_claim_plays_no_part()
    {
        var jwks = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.OtherRsa.Jwk()));
        _fixture.With(
            new IssuerOptions
            {
                Issuer = TestToken.Issuer,
                Jwks = new() { File = jwks },
            }
        );
        // A configured issuer's own key does not sign SVIDs, and an SVID that names that issuer is still an SVID.
        await _fixture.RefuseAsync(
            RefusalCode.KeyUnknown,
            TestToken.Svid(TestKey.OtherRsa, p => p["iss"] = TestToken.Issuer)
        );
        var identity = await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa, p => p["iss"] = TestToken.Issuer));
        Assert.Equal("spiffe://agents.example", identity.Issuer);
        Assert.Equal(ProofMethod.JwtSvid, identity.Proof);
    }

    [Fact]
    public async Task An_older_bundle_never_takes_the_place_of_a_newer()
    {
        _domain.BundleFile = Bundle(5, TestKey.Rsa);
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa));
        Bundle(4, TestKey.OtherRsa);
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Svid(TestKey.OtherRsa));
        Bundle(6, TestKey.OtherRsa);
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.OtherRsa));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Svid(TestKey.Rsa));
    }

    [Fact]
    public async Task Bundles_are_replaced_and_never_merged()
    {
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa));
        Bundle(2, TestKey.Ec);
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Ec));
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, TestToken.Svid(TestKey.Rsa));
    }

    [Fact]
    public async Task A_failed_poll_keeps_the_last_bundle_and_the_next_one_tries_again()
    {
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Rsa));
        foreach (var broken in new[] { "", "{", "{}", new string('x', 1_000_000) })
        {
            _fixture.Write("bundle.json", broken);
            await _fixture.Sources.All[0].ReadAsync();
            _fixture.Time.Advance(TimeSpan.FromSeconds(10));
            await _fixture.AcceptAsync(
                TestToken.Svid(
                    TestKey.Rsa,
                    p => p["jti"] = broken.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)
                )
            );
        }

        File.Delete(_domain.BundleFile);
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.Ec));
        Bundle(9, TestKey.OtherRsa);
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.AcceptAsync(TestToken.Svid(TestKey.OtherRsa));
    }

    private string Bundle(ulong sequence, params TestKey[] keys) =>
        _fixture.Write(
            "bundle.json",
            TestKey.Bundle(sequence, keys.Select(k => k.Jwk("jwt-svid", withAlgorithm: false)))
        );
}
