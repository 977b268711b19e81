using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy;

public sealed class AutonomyGateTests
{
    private const string Owner =
        "owner: { issuer: \"https://idp.acme.example\", subject: "
        + "\"4afe0119-0000\", contact: finance-ops@acme.example }";

    /// <summary>
    /// Every way to be constrained, over every kind of credential: a low-impact, reversible read runs; what is grave
    /// and final does not; a person decides on the rest.
    /// </summary>
    [Theory]
    [MemberData(nameof(Combinations))]
    public void The_gate_decides_what_runs_on_its_own(
        bool tolerates,
        bool hasOwner,
        bool hasInstance,
        string access,
        string impact,
        bool isReversible
    )
    {
        var policy = Samples.Policy(
            ("toleratesRuntimeAction: true", $"toleratesRuntimeAction: {(tolerates ? "true" : "false")}"),
            (
                "    " + Owner + "\n    toleratesRuntimeAction: " + (tolerates ? "true" : "false"),
                (hasOwner ? "    " + Owner + "\n" : "")
                    + "    toleratesRuntimeAction: "
                    + (tolerates ? "true" : "false")
            ),
            (
                "    access: read                   # read | write | external | privileged\n"
                    + "    impact: low                    # low | medium | high\n"
                    + "    reversible: true\n    actions: [read, summarise]",
                $"    access: {access}\n    impact: {impact}\n"
                    + $"    reversible: {(isReversible ? "true" : "false")}\n    actions: [read, summarise]"
            )
        );

        var decision = policy.Evaluate(
            Samples.Triage with
            {
                Instance = hasInstance ? "7" : "",
            },
            Samples.TriageTask,
            Samples.ReadBilling
        );

        RefusalCode? wanted = (access, impact, isReversible) switch
        {
            _ when tolerates && hasOwner && hasInstance => null,
            ("read", "low", true) => null,
            (_, "high", false) => RefusalCode.GateDenied,
            _ => hasOwner ? RefusalCode.ApprovalNeeded : RefusalCode.NobodyToAsk,
        };
        Assert.Equal(wanted, decision.Refusal?.Code);
        Assert.Equal(wanted == RefusalCode.ApprovalNeeded, decision.Effect == PolicyEffect.Challenge);
        Assert.Equal(
            [("process-tolerates", tolerates), ("owner", hasOwner), ("policy", true), ("attributable", hasInstance)],
            decision.Gate.Select(condition => (condition.Name, condition.Holds))
        );
        Assert.Equal(["triage-reads-billing"], decision.MatchedRules);
        Assert.Equal(wanted is null ? "triage-reads-billing" : "", decision.RuleId);
    }

    public static TheoryData<bool, bool, bool, string, string, bool> Combinations()
    {
        var data = new TheoryData<bool, bool, bool, string, string, bool>();
        foreach (var bits in Enumerable.Range(0, 8))
        {
            foreach (
                var (access, impact, isReversible) in new[]
                {
                    ("read", "low", true),
                    ("read", "low", false),
                    ("read", "medium", true),
                    ("read", "high", true),
                    ("read", "high", false),
                    ("write", "low", true),
                    ("write", "high", false),
                    ("external", "medium", false),
                    ("privileged", "high", true),
                }
            )
            {
                data.Add((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, access, impact, isReversible);
            }
        }

        return data;
    }

    [Fact]
    public void A_deny_rule_is_stricter_than_the_gate_and_the_gate_than_an_allow_rule()
    {
        var policy = Samples.Policy(
            ("toleratesRuntimeAction: true", "toleratesRuntimeAction: false"),
            ("access: read                   #", "access: write                   #"),
            ("rules:\n", "rules:\n  - { id: never, effect: deny, when: 'request.resource == \"x\"' }\n")
        );

        Assert.Equal(
            RefusalCode.ApprovalNeeded,
            policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling).Refusal?.Code
        );
        Assert.Equal(
            RefusalCode.DeniedByRule,
            policy
                .Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling with { Resource = "x" })
                .Refusal?.Code
        );
    }

    [Fact]
    public void What_no_rule_allows_is_not_helped_by_an_approval() =>
        Assert.Equal(
            RefusalCode.NoRuleAllows,
            Samples.Policy().Evaluate(Samples.Payer, Samples.PaymentTask, Samples.ReadBilling).Refusal?.Code
        );

    [Fact]
    public void A_high_impact_irreversible_step_of_a_process_that_tolerates_none_is_denied() =>
        Assert.Equal(
            RefusalCode.GateDenied,
            Samples.Policy().Evaluate(Samples.Payer, Samples.PaymentTask, Samples.Transfer).Refusal?.Code
        );

    /// <summary>
    /// A certificate's revocation reaches the CRL alone: reversible only where the process's owner accepts that.
    /// </summary>
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, RefusalCode.ApprovalNeeded)]
    public void Reversible_is_what_a_revocation_reaches_unless_the_process_accepts_less(
        bool accepts,
        RefusalCode? wanted
    )
    {
        var policy = Samples.Policy(
            ("toleratesRuntimeAction: true", "toleratesRuntimeAction: false"),
            ("    acceptsUnrevocable: [agent-mtls]", accepts ? "    acceptsUnrevocable: [agent-mtls]" : "   ")
        );

        var decision = policy.Evaluate(
            Samples.Triage,
            Samples.TriageTask,
            new() { Credential = "agent-mtls", Actions = ["connect"] }
        );

        Assert.Equal(wanted, decision.Refusal?.Code);
    }

    [Fact]
    public void A_condition_sees_which_of_the_gates_conditions_failed()
    {
        var policy = Samples.Policy(
            ("agent == \"triage\" && credential.name == \"agent-mtls\"", "context.gate == [\"attributable\"]")
        );

        Assert.Equal(
            PolicyEffect.Allow,
            policy
                .Evaluate(
                    Samples.Triage with
                    {
                        Instance = "",
                    },
                    Samples.TriageTask,
                    new() { Credential = "agent-mtls", Actions = ["connect"] }
                )
                .Effect
        );
        Assert.Equal(
            PolicyEffect.Deny,
            policy
                .Evaluate(
                    Samples.Triage,
                    Samples.TriageTask,
                    new() { Credential = "agent-mtls", Actions = ["connect"] }
                )
                .Effect
        );
    }
}
