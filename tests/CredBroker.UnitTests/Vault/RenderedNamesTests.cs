using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Vault.Engines;

namespace CredBroker.UnitTests.Vault;

public sealed class RenderedNamesTests
{
    private static readonly WorkloadIdentity Identity = new()
    {
        Proof = ProofMethod.JwtSvid,
        Issuer = "https://idp.acme.example",
        Subject = "triage-1",
        Workload = "triage",
        SpiffeId = "spiffe://acme.example/agents/triage",
        TrustDomain = "acme.example",
        ProofExpiresAt = DateTimeOffset.MaxValue,
        ProofHash = "",
    };

    [Theory]
    [InlineData("{{identity.spiffeId}}", "spiffe://acme.example/agents/triage")]
    [InlineData("{{ identity.spiffeId }}", "spiffe://acme.example/agents/triage")]
    [InlineData(
        "https://agents.example/{{identity.workload}}/{{identity.subject}}",
        "https://agents.example/triage/triage-1"
    )]
    public void A_template_takes_the_identitys_fields(string template, string expected) =>
        Assert.Equal(expected, Render(new(template, null, null))?.Uri);

    [Theory]
    // A field that is empty leaves a hole, and a name with a hole is another workload's.
    [InlineData("{{identity.instance}}")]
    [InlineData("spiffe://acme.example/{{identity.workload}}/{{identity.instance}}")]
    [InlineData("{{identity.nothing}}")]
    [InlineData("{{identity.claims.sub}}")]
    [InlineData("{{csr.uri}}")]
    [InlineData("{{identity.spiffeId")]
    [InlineData("relative/{{identity.workload}}")]
    public void What_does_not_give_a_whole_name_gives_none(string template) =>
        Assert.Null(Render(new(template, null, null)));

    [Theory]
    // Vault reads a comma as the start of another name.
    [InlineData("spiffe://acme.example/a,spiffe://acme.example/admin")]
    [InlineData("spiffe://acme.example/a b")]
    [InlineData("spiffe://acme.example/a\n")]
    [InlineData("spiffe://acme.example/ä")]
    [InlineData("spiffe://acme.example/{{identity.subject}}")]
    public void A_value_that_reads_as_something_else_gives_no_name(string value) =>
        Assert.Null(RenderedNames.Render(new("{{identity.spiffeId}}", null, null), Identity with { SpiffeId = value }));

    [Theory]
    [InlineData("triage", true)]
    [InlineData("a.b_c-D", true)]
    [InlineData("a/b", false)]
    [InlineData("../admin", false)]
    [InlineData("..", false)]
    [InlineData(".", false)]
    [InlineData("a%2Fb", false)]
    [InlineData("a:b", false)]
    [InlineData("a?b", false)]
    [InlineData("a#b", false)]
    [InlineData("a@b", false)]
    public void What_is_put_into_a_URI_is_one_segment(string workload, bool isName) =>
        Assert.Equal(
            isName,
            RenderedNames.Render(
                new("spiffe://acme.example/agents/{{identity.workload}}", null, null),
                Identity with
                {
                    Workload = workload,
                }
            )
                is not null
        );

    [Fact]
    public void A_SPIFFE_ID_is_a_name_only_by_itself()
    {
        Assert.Null(Render(new("{{identity.spiffeId}}/x", null, null)));
        Assert.Null(Render(new(null, "{{identity.spiffeId}}", null)));
        Assert.Equal(Identity.SpiffeId, Render(new(null, null, "{{identity.spiffeId}}"))?.CommonName);
    }

    [Fact]
    public void A_trust_domain_has_its_dots_in_a_host_name()
    {
        Assert.Equal(
            "triage.acme.example",
            Render(new(null, "{{identity.workload}}.{{identity.trustDomain}}", null))?.Dns
        );
        Assert.Null(
            RenderedNames.Render(
                new(null, "{{identity.workload}}.{{identity.trustDomain}}", null),
                Identity with
                {
                    TrustDomain = "acme_one.example",
                }
            )
        );
    }

    [Theory]
    [InlineData("triage", "triage.agents.example", true)]
    [InlineData("Triage", "", false)]
    [InlineData("a,b", "", false)]
    [InlineData("*", "", false)]
    [InlineData("a..b", "", false)]
    [InlineData("a.b", "", false)]
    [InlineData("-a", "", false)]
    [InlineData("a_b", "", false)]
    public void A_host_name_is_a_plain_one(string workload, string expected, bool isName)
    {
        var names = RenderedNames.Render(
            new(null, "{{identity.workload}}.agents.example", null),
            Identity with
            {
                Workload = workload,
            }
        );

        Assert.Equal(isName ? expected : null, names?.Dns);
    }

    [Theory]
    [InlineData("triage", true)]
    [InlineData("repo:acme/app:ref", false)]
    [InlineData("..", false)]
    [InlineData("a,O=system:masters", false)]
    [InlineData("a+b", false)]
    [InlineData("a b", false)]
    public void A_common_name_holds_nothing_that_starts_another_attribute(string workload, bool isName) =>
        Assert.Equal(
            isName,
            RenderedNames.Render(new(null, null, "{{identity.workload}}"), Identity with { Workload = workload })
                is not null
        );

    [Fact]
    public void Without_any_template_there_are_no_names()
    {
        Assert.Null(Render(null));
        Assert.Null(Render(new(null, null, null)));
    }

    private static RenderedNames? Render(CertificateNames? names) => RenderedNames.Render(names, Identity);
}
