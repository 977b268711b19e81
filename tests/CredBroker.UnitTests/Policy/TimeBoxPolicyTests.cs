using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Linting;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy;

/// <summary>Where a policy lets people give a time box, and where it never does, whatever a rule says.</summary>
public sealed class TimeBoxPolicyTests
{
    private const string Offer = "timeBox: 1h, ";

    [Fact]
    public void A_rule_offers_one_and_a_rule_that_does_not_say_so_none()
    {
        Assert.Equal(TimeSpan.FromHours(1), OfferedBy(Text()));
        Assert.Null(OfferedBy(Text().Replace(Offer, "", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("impact: low", "impact: high")]
    [InlineData("reversible: true", "reversible: false")]
    // What revoking does not reach is not undone by it, whatever the entry says.
    [InlineData("engine: database, mount: database, role: cb-a", "engine: kv, mount: secret, path: a")]
    public void None_is_offered_for_what_is_of_high_impact_or_cannot_be_undone(string old, string changed)
    {
        // The rule reaches another credential, too, so that it may say it.
        var text = Once(Text(and: " || credential.name == \"b\""), old, changed);
        Assert.Null(OfferedBy(text + Other));
        Assert.Equal(TimeSpan.FromHours(1), OfferedBy(text + Other, "b"));
        Assert.Contains(
            "no time box is offered for `a`",
            Assert.Single(Warnings(text + Other)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_the_process_accepts_to_be_unrevocable_takes_one()
    {
        var text = Text()
            .Replace(
                "engine: database, mount: database, role: cb-a",
                "engine: kv, mount: secret, path: a",
                StringComparison.Ordinal
            );
        Assert.Equal(
            TimeSpan.FromHours(1),
            OfferedBy(text.Replace("agents: [x]", "agents: [x]\n    acceptsUnrevocable: [a]", StringComparison.Ordinal))
        );
        Assert.Equal(
            "`timeBox` is never offered for what this rule reaches: it is of high impact or cannot be undone",
            Assert.Single(Compile(text).Faults).Message
        );
    }

    [Theory]
    [InlineData("impact: low", "impact: high", "`timeBox` is never offered for what this rule reaches")]
    [InlineData("reversible: true", "reversible: false", "`timeBox` is never offered for what this rule reaches")]
    [InlineData("timeBox: 1h", "timeBox: 59s", "`timeBox` must be at least 1m")]
    [InlineData("timeBox: 1h", "timeBox: 25h", "`timeBox` must be a whole number of s, m or h up to 24h")]
    [InlineData("timeBox: 1h", "timeBox: soon", "`timeBox` must be a whole number of s, m or h up to 24h")]
    [InlineData("timeBox: 1h", "timebox: 1h", "an approval has no key `timebox`, did you mean `timeBox`?")]
    public void What_cannot_be_meant_is_a_fault_with_its_place(string old, string changed, string message)
    {
        var text = Once(Text(), old, changed);
        var fault = Assert.Single(Compile(text).Faults);
        Assert.StartsWith(message, fault.Message, StringComparison.Ordinal);
        Assert.Equal(text[..text.IndexOf("approval:", StringComparison.Ordinal)].Split('\n').Length, fault.Line);
    }

    [Theory]
    [InlineData("timeBox: 20m, ", 20)]
    [InlineData("timeBox: 2h, ", 60)]
    [InlineData("", null)]
    public void Of_several_demands_all_have_to_offer_one_and_the_shortest_counts(string also, int? minutes) =>
        Assert.Equal(
            minutes is { } some ? TimeSpan.FromMinutes(some) : null,
            OfferedBy(
                Text()
                    + $$"""
                      - id: also
                        effect: challenge
                        when: agent == "x" && credential.name == "a"
                        approval: { approvers: ["group:h"], {{also}}expiresAfter: 30m }
                    """
            )
        );

    /// <summary>A time box is autonomy for a while, so that a rule must not give what the gate would not.</summary>
    [Theory]
    [InlineData("toleratesRuntimeAction: true", "toleratesRuntimeAction: false", true)]
    [InlineData("toleratesRuntimeAction: true", "toleratesRuntimeAction: true", false)]
    public void What_the_gate_would_not_let_run_is_offered_none(string @is, string becomes, bool hasInstance)
    {
        Assert.Equal(TimeSpan.FromHours(1), OfferedBy(Text()));

        var decision = Decide(
            Text().Replace(@is, becomes, StringComparison.Ordinal),
            identity: hasInstance ? Samples.Payer : Samples.Payer with { Instance = "" }
        );
        Assert.Equal(PolicyEffect.Challenge, decision.Effect);
        Assert.Null(decision.Approval!.TimeBox);
    }

    [Fact]
    public void A_limit_that_asks_offers_none()
    {
        var decision = Decide(Text());
        var limited = LimitDemands.With(
            decision,
            [decision.Approval!.Demands[0] with { LimitId = "fan-out", TimeBox = null }]
        );
        Assert.Null(limited.Approval!.TimeBox);
    }

    private const string Other = """
          - id: rest
            effect: allow
            when: agent == "x" && credential.name == "c"
        """;

    private static string Text(string and = "") =>
        $$"""
            apiVersion: credbroker/v1
            agents:
              x: { member: 'identity.issuer == "https://idp.acme.example" && identity.workload == "payer"' }
            processes:
              p:
                owner: { issuer: "https://people.example", subject: o, contact: o@example.com }
                toleratesRuntimeAction: true
                agents: [x]
            credentials:
              a:
                vault: { engine: database, mount: database, role: cb-a }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
              b: { vault: { engine: database, mount: database, role: cb-b }, access: read, impact: low, reversible: true, actions: [read], maxTtl: 15m }
              c: { vault: { engine: database, mount: database, role: cb-c }, access: read, impact: low, reversible: true, actions: [read], maxTtl: 15m }
            rules:
              - id: asks
                effect: challenge
                approval: { approvers: ["group:g"], timeBox: 1h, expiresAfter: 30m }
                when: agent == "x" && {{(
                and.Length == 0 ? "credential.name == \"a\"" : $"(credential.name == \"a\"{and})"
            )}}

            """;

    /// <summary>The text with the first of these changed: of the credentials, <c>a</c>.</summary>
    private static string Once(string text, string old, string changed)
    {
        var at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, old);
        return text[..at] + changed + text[(at + old.Length)..];
    }

    private static PolicyCompilation Compile(string text) =>
        PolicyCompiler.Compile(new PolicyDocument { Name = "policy.yaml", Text = text });

    private static List<string> Warnings(string text) =>
        [
            .. PolicyLint
                .Check(new PolicyDocument { Name = "policy.yaml", Text = text })
                .Select(warning => warning.Message),
        ];

    private static TimeSpan? OfferedBy(string text, string credential = "a") =>
        Decide(text, credential).Approval?.TimeBox;

    private static Decision Decide(string text, string credential = "a", WorkloadIdentity? identity = null)
    {
        var compilation = Compile(text);
        Assert.Empty(compilation.Faults);
        return compilation.Set!.Evaluate(
            identity ?? Samples.Payer,
            new AgentTask("t-1", "p", "look"),
            new CredentialRequest { Credential = credential, Actions = ["read"] }
        );
    }
}
