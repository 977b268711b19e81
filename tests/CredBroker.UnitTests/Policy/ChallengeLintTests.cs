using CredBroker.Core.Policy.Linting;

namespace CredBroker.UnitTests.Policy;

/// <summary>Warnings about what rules and people decide together: challenges in vain, and rules that do nothing.</summary>
public sealed class ChallengeLintTests
{
    private const string Rule = "id: payments-need-a-human\n    effect: allow";

    private const string OwnerLine =
        "    owner: { issuer: \"https://idp.acme.example\", subject: \"70fd3e76-0000\", contact: treasury@acme.example }\n";

    private static readonly (string, string) Challenged = (Rule, Challenge("[\"group:finance-leads\"], quorum: 1"));

    [Fact]
    public void A_challenge_that_can_be_meant_is_not_named() => Assert.Empty(Warnings(Challenged));

    [Theory]
    [InlineData("    toleratesRuntimeAction: false", "    toleratesRuntimeAction: false", true)]
    [InlineData("    toleratesRuntimeAction: false", "    toleratesRuntimeAction: true", false)]
    [InlineData(OwnerLine + "    toleratesRuntimeAction: false", "    toleratesRuntimeAction: true", true)]
    [InlineData("impact: high", "impact: medium", false)]
    [InlineData("reversible: false", "reversible: true", true)]
    [InlineData(
        "agents: [payer, payments-executor]",
        "agents: [payer, payments-executor]\n    acceptsUnrevocable: [payments-api-key]",
        true
    )]
    [InlineData("agent == \"payer\" && credential.category", "credential.category", false)]
    [InlineData("agents: [triage] ", "agents: [triage, payer] ", false)]
    [InlineData("credential.category == \"money-movement\" && toolCall", "toolCall", false)]
    public void A_rule_that_allows_what_the_gate_always_denies_is_named(string old, string replacement, bool named) =>
        Assert.Equal(
            named,
            Warnings((old, replacement))
                .Exists(warning =>
                    warning.StartsWith(
                        "the rule `payments-need-a-human` allows nothing: the autonomy gate",
                        StringComparison.Ordinal
                    )
                )
        );

    [Theory]
    [InlineData("[owner]", OwnerLine, true)]
    [InlineData("[owner]", "", false)]
    [InlineData("[{ issuer: \"https://idp.acme.example\", subject: \"70fd3e76-0000\" }], notOwner: true", "", true)]
    [InlineData("[{ issuer: \"https://idp.acme.example\", subject: other }], notOwner: true", "", false)]
    [InlineData("[owner, \"group:g\"]", OwnerLine, false)]
    public void A_challenge_that_nobody_could_approve_is_named(string approvers, string without, bool named)
    {
        var warnings =
            without.Length == 0
                ? Warnings((Rule, Challenge(approvers)))
                : Warnings((Rule, Challenge(approvers)), (without, ""));

        Assert.Equal(
            named,
            warnings.Contains(
                "nobody could approve what `payments-need-a-human` challenges: too few may, or there is no owner"
            )
        );
    }

    [Theory]
    [InlineData("[\"group:g\"], escalate: { after: 5m, to: [\"group:h\"] }", false)]
    [InlineData("[\"group:g\"], escalate: { after: 5m, to: [\"group:g\", \"group:h\"] }", false)]
    [InlineData("[\"group:g\"], escalate: { after: 5m, to: [\"group:g\"] }", true)]
    [InlineData("[\"group:g\", owner], escalate: { after: 5m, to: [owner] }", true)]
    [InlineData(
        "[\"group:g\"], notOwner: true, "
            + "escalate: { after: 5m, to: [{ issuer: \"https://idp.acme.example\", subject: \"70fd3e76-0000\" }] }",
        true
    )]
    public void An_escalation_that_adds_nobody_is_named(string approvers, bool named) =>
        Assert.Equal(
            named ? ["`to` adds nobody whom `payments-need-a-human` does not ask already"] : [],
            Warnings((Rule, Challenge(approvers)))
        );

    [Theory]
    [InlineData("payments-executor", "")]
    [InlineData(
        "triage",
        "no process that `payments-need-a-human` is for has an agent `triage`: nobody could redeem the approval"
    )]
    [InlineData("payer", "the executor `payer` is the agent that asks: leave it out")]
    public void An_executor_that_cannot_be_meant_is_named(string executor, string warning) =>
        Assert.Equal(
            warning.Length == 0 ? [] : [warning],
            Warnings((Rule, Challenge($"[\"group:g\"], executor: {executor}")))
        );

    [Fact]
    public void Two_executors_of_which_neither_could_redeem_are_named() =>
        Assert.Equal(
            [
                "whatever `payments-need-a-human` matches is challenged by `all-of-it`, too, and for another executor: "
                    + "it is always denied",
            ],
            Warnings(
                (Rule, Challenge("[\"group:g\"], executor: payments-executor")),
                (
                    "rules:\n",
                    "rules:\n  - { id: all-of-it, effect: challenge, when: 'credential.impact == \"high\"', "
                        + "approval: { approvers: [\"group:g\"], expiresAfter: 1h, executor: payer } }\n"
                )
            )
        );

    [Fact]
    public void An_allow_rule_that_is_always_challenged_is_named() =>
        Assert.Contains(
            "the rule `triage-connects` lets nothing run alone: whatever it matches is challenged by `asks`",
            Warnings(
                Challenged,
                (
                    "rules:\n",
                    "rules:\n  - { id: asks, effect: challenge, when: 'credential.engine == \"pki\"', "
                        + "approval: { approvers: [owner], expiresAfter: 1h } }\n"
                )
            )
        );

    [Fact]
    public void A_deny_rule_in_the_shadow_of_another_is_named_once()
    {
        var warnings = Warnings(
            Challenged,
            (
                "rules:\n",
                "rules:\n  - { id: no-pki, effect: deny, when: 'credential.engine == \"pki\"' }\n"
                    + "  - { id: no-mtls, effect: deny, when: 'credential.name == \"agent-mtls\"' }\n"
                    + "  - { id: no-pki-again, effect: deny, when: 'credential.engine == \"pki\"' }\n"
            )
        );

        Assert.Equal(
            [
                "the rule `no-mtls` adds nothing: whatever it matches is denied by `no-pki`, too",
                "the rule `no-pki-again` adds nothing: whatever it matches is denied by `no-pki`, too",
                "the rule `triage-connects` allows nothing: whatever it matches is denied by `no-pki`",
            ],
            warnings
        );
    }

    [Fact]
    public void A_challenge_in_the_shadow_of_a_deny_rule_is_named() =>
        Assert.Contains(
            "the rule `payments-need-a-human` challenges nothing: whatever it matches is denied by `never`",
            Warnings(
                Challenged,
                ("rules:\n", "rules:\n  - { id: never, effect: deny, when: 'credential.impact == \"high\"' }\n")
            )
        );

    [Fact]
    public void An_argument_that_one_of_the_credentials_cannot_have_is_named() =>
        Assert.Equal(
            ["`Amount` is shown as absent for `payments-api-key`: its schemas have no `toolCall.arguments.sum`"],
            Warnings(
                Challenged,
                (
                    "rules:\n",
                    "rules:\n  - { id: any, effect: challenge, when: 'credential.revocation in [\"none\", \"backend\"]', approval: "
                        + "{ approvers: [\"group:g\"], expiresAfter: 1h, "
                        + "show: [{ label: Amount, path: toolCall.arguments.sum }] } }\n"
                )
            )
        );

    private static string Challenge(string approvers) =>
        $"id: payments-need-a-human\n    effect: challenge\n    approval: {{ expiresAfter: 30m, approvers: {approvers} }}";

    /// <summary>But for the sample's own, about its last rule.</summary>
    private static List<string> Warnings(params (string, string)[] edits) =>
        [
            .. PolicyLint
                .Check(Samples.Document(Samples.Edited(edits)))
                .Select(warning => warning.Message)
                .Where(message =>
                    !message.StartsWith("the rule `no-secret-handling` can never", StringComparison.Ordinal)
                ),
        ];
}
