using System.Text;
using CredBroker.Core.Identity;
using CredBroker.Server.Identity.Settings;
using Microsoft.Extensions.Configuration;

namespace CredBroker.UnitTests.Identity;

public sealed class IdentityOptionsTests
{
    [Fact]
    public void Settings_bind_from_JSON_and_become_rules()
    {
        const string json = """
            {"Identity":{"Audience":"credbroker",
              "TrustDomains":[{"Name":"agents.example","BundleFile":"/etc/b.json",
               "PathTemplate":"/agents/{workload}/{instance}"}],
              "Issuers":[
                {"Issuer":"https://idp.example/realms/agents",
                 "WorkloadClaim":"azp","Claims":["azp"],"Algorithms":["ES256"],"ClockSkew":"00:00:10",
                 "RequiredClaims":[{"Claim":"preferred_username","Prefix":"service-account-"}],
                 "ForbiddenClaims":["sid"]},
                {"Issuer":"https://idp.example/realms/agents","Use":"people",
                 "Audience":"credbroker-admin","RolesClaim":"/realm_access/roles","Roles":{"admin":["cb-admins"]}}],
              "KeyRefresh":{"Interval":"00:10:00"}}}
            """;
        var options = new ConfigurationBuilder()
            .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)))
            .Build()
            .GetSection(IdentityOptions.Section)
            .Get<IdentityOptions>()!;
        var settings = IdentitySettings.Read(options, devMode: false);
        Assert.Empty(settings.Faults);
        var domain = Assert.Single(settings.TrustDomains).Rules;
        Assert.Equal(
            ("agents.example", "credbroker", 9),
            (domain.TrustDomain, domain.Audience, domain.Algorithms.Count)
        );
        var workloads = Assert.IsType<WorkloadIssuerRules>(settings.Issuers[0].Rules);
        Assert.Equal(
            ("credbroker", "credbroker-admin", "azp", TimeSpan.FromSeconds(10)),
            (workloads.Audience, workloads.OtherKindsAudience, workloads.WorkloadClaim.Text, workloads.ClockSkew)
        );
        Assert.Equal(["ES256"], workloads.Algorithms);
        Assert.Equal("service-account-", Assert.Single(workloads.RequiredClaims).Prefix);
        Assert.Equal("sid", Assert.Single(workloads.ForbiddenClaims).Text);
        var people = Assert.IsType<PeopleIssuerRules>(settings.Issuers[1].Rules);
        Assert.Equal(("credbroker-admin", "credbroker"), (people.Audience, people.OtherKindsAudience));
        Assert.Equal(9, people.Algorithms.Count);
        Assert.Equal(["cb-admins"], people.Roles[PersonRole.Admin]);
        Assert.Equal(TimeSpan.FromMinutes(10), options.KeyRefresh.Interval);
    }

    /// <summary>An approval is of them, too, and the token that redeems it is seldom the one that asked.</summary>
    [Fact]
    public void Claims_that_a_new_token_has_anew_are_faults_each()
    {
        string[] anew = ["jti", "exp", "iat", "nbf", "nonce", "auth_time", "sid"];
        var faults = new IdentityOptions
        {
            Audience = "credbroker",
            Issuers = [new() { Issuer = "https://idp.example", Claims = ["azp", .. anew, "groups"] }],
        }
            .Validate(devMode: false)
            .ToList();

        Assert.Equal(anew.Length, faults.Count);
        Assert.All(
            anew.Zip(faults),
            pair =>
                Assert.StartsWith(
                    $"Identity:Issuers:0:Claims names '{pair.First}', which a new token has anew",
                    pair.Second,
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public void All_faults_are_reported_together_each_with_its_path_and_what_to_write()
    {
        var faults = new IdentityOptions
        {
            TrustDomains = [new() { Name = "Agents.Example", PathTemplate = "agents" }],
            Issuers =
            [
                new()
                {
                    Issuer = "http://idp.example",
                    Use = "robots",
                    Algorithms = ["HS256"],
                    ClockSkew = TimeSpan.FromHours(1),
                },
                new() { Use = "people" },
            ],
            KeyRefresh = new() { CoolDown = TimeSpan.Zero, Timeout = TimeSpan.FromHours(1) },
        }.Validate(devMode: false);

        string[] expected =
        [
            "Identity:TrustDomains:0:Name is 'Agents.Example'; write",
            "Identity:TrustDomains:0:BundleFile is missing; write",
            "Identity:TrustDomains:0:Audience is missing; write",
            "Identity:TrustDomains:0:PathTemplate is 'agents'; write",
            "Identity:Issuers:0:Use is 'robots'; write workloads or people",
            "Identity:Issuers:0:Audience is missing; write",
            "Identity:Issuers:0:Issuer is 'http://idp.example'",
            "Identity:Issuers:0:Algorithms names 'HS256'; write some of ES256",
            "Identity:Issuers:0:ClockSkew is 01:00:00; write",
            "Identity:Issuers:1:Audience is missing; write",
            "Identity:Issuers:1:Issuer is missing",
            "Identity:Issuers:1:RolesClaim is ''; write",
            "Identity:Issuers:1:Roles is missing; write",
            "Identity:KeyRefresh:CoolDown is 00:00:00; write",
            "Identity:KeyRefresh:Timeout is 01:00:00; write",
        ];
        foreach (var fault in expected)
        {
            Assert.Single(faults, f => f.StartsWith(fault, StringComparison.Ordinal));
        }

        Assert.Equal(expected.Length, faults.Count);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", false, false)]
    [InlineData("http://127.0.0.1:8080", true, true)]
    [InlineData("http://localhost:8080", true, true)]
    [InlineData("http://[::1]:8080", true, true)]
    [InlineData("http://10.0.0.1", true, false)]
    [InlineData("http://localhost.evil.example", true, false)]
    [InlineData("https://idp.example", false, true)]
    [InlineData("https://idp.example/realms/x", false, true)]
    [InlineData("https://idp.example?x=1", false, false)]
    [InlineData("https://idp.example/#x", false, false)]
    [InlineData("https://user:pw@idp.example", false, false)]
    [InlineData("file:///etc/passwd", true, false)]
    [InlineData("ftp://idp.example", true, false)]
    [InlineData("idp.example", false, false)]
    [InlineData("spiffe://agents.example", false, false)]
    public void Keys_are_discovered_over_https_only_or_on_loopback_in_dev_mode(
        string issuer,
        bool devMode,
        bool accepted
    ) => Assert.Equal(accepted, Faults(new IssuerOptions { Issuer = issuer }, devMode).Count == 0);

    [Fact]
    public void Where_keys_have_an_address_or_file_of_their_own_the_issuer_may_be_any_text()
    {
        Assert.Empty(
            Faults(
                new IssuerOptions
                {
                    Issuer = "kubernetes/serviceaccount",
                    Jwks = new()
                    {
                        Uri = "https://10.0.0.1/openid/v1/jwks",
                        CaFile = "/ca",
                        TokenFile = "/token",
                    },
                }
            )
        );
        Assert.Empty(
            Faults(
                new IssuerOptions
                {
                    Issuer = "kubernetes/serviceaccount",
                    Jwks = new() { File = "/jwks.json" },
                }
            )
        );
        Assert.Single(
            Faults(
                new IssuerOptions
                {
                    Issuer = "x",
                    Jwks = new() { Uri = "http://10.0.0.1/jwks" },
                }
            )
        );
        Assert.Single(
            Faults(
                new IssuerOptions
                {
                    Issuer = "x",
                    Jwks = new() { Uri = "https://a.example/jwks", File = "/jwks.json" },
                }
            )
        );
        Assert.Single(
            Faults(
                new IssuerOptions
                {
                    Issuer = "x",
                    Jwks = new() { File = "/jwks.json", TokenFile = "/token" },
                }
            )
        );
        Assert.Single(
            Faults(
                new IssuerOptions
                {
                    Issuer = "spiffe://agents.example",
                    Jwks = new() { File = "/jwks.json" },
                }
            )
        );
        Assert.Single(
            Faults(
                new IssuerOptions
                {
                    Issuer = "SPIFFE://agents.example",
                    Jwks = new() { File = "/jwks.json" },
                }
            )
        );
    }

    [Fact]
    public void Claims_are_named_by_names_or_pointers()
    {
        Assert.Single(Faults(new IssuerOptions { Issuer = "https://a.example", WorkloadClaim = "" }));
        Assert.Single(Faults(new IssuerOptions { Issuer = "https://a.example", InstanceClaim = "/" }));
        Assert.Single(Faults(new IssuerOptions { Issuer = "https://a.example", Claims = ["/a/b"] }));
        Assert.Single(Faults(new IssuerOptions { Issuer = "https://a.example", Claims = ["a", "a"] }));
        Assert.Single(Faults(new IssuerOptions { Issuer = "https://a.example", ForbiddenClaims = ["/a~9"] }));
        Assert.Equal(
            2,
            Faults(new IssuerOptions { Issuer = "https://a.example", RequiredClaims = [new() { Values = [""] }] }).Count
        );
    }

    [Fact]
    public void Settings_of_the_other_kind_are_faults()
    {
        Assert.Equal(
            3,
            Faults(
                new IssuerOptions
                {
                    Issuer = "https://a.example",
                    RolesClaim = "roles",
                    GroupsClaim = "groups",
                    Roles = { ["admin"] = ["x"] },
                }
            ).Count
        );
        Assert.Single(
            Faults(People(p => p.Claims = ["azp"])),
            f => f.Contains("policy never sees", StringComparison.Ordinal)
        );
        Assert.Single(
            Faults(People(p => p.Roles["root"] = ["x"])),
            f => f.Contains("write admin, approver, auditor or viewer", StringComparison.Ordinal)
        );
        Assert.Single(
            Faults(People(p => p.Roles["0"] = ["x"])),
            f => f.Contains("maps to '0'", StringComparison.Ordinal)
        );
        Assert.Single(
            Faults(People(p => p.Roles["viewer"] = [])),
            f => f.Contains("Roles:viewer lists nothing", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void An_issuer_and_a_trust_domain_stand_once_for_each_use()
    {
        var options = new IdentityOptions
        {
            Audience = "credbroker",
            Issuers =
            [
                new() { Issuer = "https://a.example" },
                new() { Issuer = "https://a.example", Audience = "other" },
            ],
            TrustDomains = [new() { Name = "td", BundleFile = "/a" }, new() { Name = "td", BundleFile = "/b" }],
        };
        Assert.Equal(2, options.Validate(devMode: false).Count(f => f.Contains("2 times", StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_an_audience_the_values_of_a_required_claim_must_say_which_tokens_are_meant()
    {
        Assert.Empty(Faults(Audienceless(new RequiredClaimOptions { Claim = "client_id", Values = ["a"] })));
        Assert.Empty(Faults(Audienceless(new RequiredClaimOptions { Claim = "client_id", Prefix = "agents-" })));
        foreach (var issuer in new[] { Audienceless(), Audienceless(new RequiredClaimOptions { Claim = "client_id" }) })
        {
            Assert.Contains(
                "AcceptsNoAudience is set, but no entry of RequiredClaims has Values or a Prefix",
                Assert.Single(Faults(issuer)),
                StringComparison.Ordinal
            );
        }

        Assert.Contains(
            "people's tokens always need an audience",
            Assert.Single(Faults(People(p => p.AcceptsNoAudience = true))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_issuer_of_people_and_workloads_needs_an_audience_for_both()
    {
        var options = new IdentityOptions
        {
            Audience = "credbroker",
            Issuers = [Audienceless(new RequiredClaimOptions { Claim = "client_id", Values = ["a"] }), People()],
        };
        Assert.Contains(
            "leave AcceptsNoAudience out",
            Assert.Single(options.Validate(false)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_issuer_that_speaks_for_a_trust_domain_says_nothing_else()
    {
        Assert.Empty(Faults(Speaking()));
        Assert.Equal(
            [
                "Identity:Issuers:0:AcceptsNoAudience",
                "Identity:Issuers:0:Claims",
                "Identity:Issuers:0:ForbiddenClaims",
                "Identity:Issuers:0:InstanceClaim",
                "Identity:Issuers:0:PathTemplate",
                "Identity:Issuers:0:RequiredClaims",
                "Identity:Issuers:0:TrustDomain",
                "Identity:Issuers:0:WorkloadClaim",
            ],
            Faults(
                    Speaking(i =>
                    {
                        (i.TrustDomain, i.PathTemplate) = ("Agents.Example", "agents");
                        (i.WorkloadClaim, i.InstanceClaim, i.AcceptsNoAudience) = ("azp", "jti", true);
                        (i.Claims, i.ForbiddenClaims) = (["azp"], ["sid"]);
                        i.RequiredClaims = [new() { Claim = "azp", Values = ["a"] }];
                    })
                )
                .Select(fault => fault.Split(' ')[0])
                .Order(StringComparer.Ordinal)
        );
        Assert.Single(
            Faults(Speaking(i => i.Use = "people")),
            f => f.Contains("write workloads", StringComparison.Ordinal)
        );
        Assert.Single(
            Faults(new IssuerOptions { Issuer = "https://a.example", PathTemplate = "/{workload}" }),
            f => f.Contains("PathTemplate is set without a TrustDomain", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_trust_domain_has_one_source_of_keys()
    {
        Assert.Contains(
            "names the trust domain 'td' 2 times",
            Assert.Single(Faults(Speaking(i => i.TrustDomain = "td"))),
            StringComparison.Ordinal
        );
        var two = new IdentityOptions
        {
            Audience = "credbroker",
            Issuers = [Speaking(), Speaking(i => i.Issuer = "https://b.example")],
        };
        Assert.Single(two.Validate(devMode: false));
    }

    [Fact]
    public void People_and_workloads_of_one_issuer_need_different_audiences()
    {
        var options = new IdentityOptions
        {
            Audience = "credbroker",
            Issuers = [new() { Issuer = "https://a.example" }, People(p => p.Audience = "credbroker")],
        };
        Assert.Contains(
            "write an Audience of its own for people",
            Assert.Single(options.Validate(devMode: false)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Somebody_must_be_able_to_call()
    {
        Assert.Single(new IdentityOptions { Audience = "credbroker" }.Validate(devMode: false));
        Assert.Single(new IdentityOptions { Audience = "credbroker", Issuers = [People()] }.Validate(devMode: false));
    }

    private static IssuerOptions Audienceless(params RequiredClaimOptions[] required) =>
        new()
        {
            Issuer = "https://a.example",
            AcceptsNoAudience = true,
            RequiredClaims = [.. required],
        };

    private static IssuerOptions Speaking(Action<IssuerOptions>? change = null)
    {
        var issuer = new IssuerOptions { Issuer = "https://a.example", TrustDomain = "agents.example" };
        change?.Invoke(issuer);
        return issuer;
    }

    private static IssuerOptions People(Action<IssuerOptions>? change = null)
    {
        var people = new IssuerOptions
        {
            Issuer = "https://a.example",
            Use = "people",
            Audience = "credbroker-admin",
            RolesClaim = "roles",
            Roles = { ["admin"] = ["x"] },
        };
        change?.Invoke(people);
        return people;
    }

    // Beside an entry that keeps "nobody may call" from being a fault too.
    private static IReadOnlyList<string> Faults(IssuerOptions issuer, bool devMode = false) =>
        new IdentityOptions
        {
            Audience = "credbroker",
            Issuers = [issuer],
            TrustDomains = [new() { Name = "td", BundleFile = "/b" }],
        }.Validate(devMode);
}
