using System.Globalization;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy;

public sealed class PolicyDecisionTests
{
    [Fact]
    public void A_matching_rule_allows_within_the_smaller_maximum()
    {
        var decision = Samples.Policy().Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);

        Assert.Equal(PolicyEffect.Allow, decision.Effect);
        Assert.Equal("triage", decision.Agent);
        Assert.Equal("triage-reads-billing", decision.RuleId);
        Assert.Equal(["triage-reads-billing"], decision.MatchedRules);
        Assert.Equal(TimeSpan.FromMinutes(10), decision.Grant!.MaxTtl);
        Assert.Equal(TimeSpan.FromMinutes(10), decision.Grant.Ttl);
        Assert.False(decision.Grant.TtlCut);
        Assert.All(decision.Gate, condition => Assert.True(condition.Holds));
    }

    [Fact]
    public void A_shorter_ttl_is_granted_and_a_longer_one_is_cut()
    {
        var policy = Samples.Policy();

        var shorter = policy.Evaluate(
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Ttl = TimeSpan.FromMinutes(3),
            }
        );
        var longer = policy.Evaluate(
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Ttl = TimeSpan.FromHours(1),
            }
        );

        Assert.Equal((TimeSpan.FromMinutes(3), false), (shorter.Grant!.Ttl, shorter.Grant.TtlCut));
        Assert.Equal((TimeSpan.FromMinutes(10), true), (longer.Grant!.Ttl, longer.Grant.TtlCut));
    }

    [Fact]
    public void The_same_inputs_give_an_equal_decision()
    {
        var policy = Samples.Policy();

        Assert.Equal(
            policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling),
            policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling)
        );
    }

    [Fact]
    public void An_unknown_process_is_refused() =>
        AssertDenied(
            RefusalCode.ProcessUnknown,
            Samples
                .Policy()
                .Evaluate(Samples.Triage, Samples.TriageTask with { Process = "other" }, Samples.ReadBilling)
        );

    [Fact]
    public void An_identity_that_no_agent_of_the_process_admits_is_refused_before_anything_is_said_of_the_catalogue() =>
        AssertDenied(
            RefusalCode.ProcessNotAdmitted,
            Samples
                .Policy()
                .Evaluate(Samples.Triage, Samples.PaymentTask, new() { Credential = "no-such-thing", Actions = ["x"] })
        );

    [Fact]
    public void The_same_claim_from_another_issuer_admits_nobody() =>
        AssertDenied(
            RefusalCode.ProcessNotAdmitted,
            Samples
                .Policy()
                .Evaluate(
                    Samples.Payer with
                    {
                        Issuer = "https://idp.evil.example",
                    },
                    Samples.PaymentTask,
                    Samples.Transfer
                )
        );

    [Fact]
    public void An_identity_that_two_agents_admit_is_refused()
    {
        var policy = Samples.Policy(
            (
                "payments-executor: { member: 'identity.spiffeId == \"spiffe://acme.example/executors/payments\"' }",
                "payments-executor: { member: 'identity.issuer == \"https://idp.acme.example\"' }"
            )
        );

        var decision = policy.Evaluate(Samples.Payer, Samples.PaymentTask, Samples.Transfer);

        AssertDenied(RefusalCode.AgentAmbiguous, decision);
        Assert.Contains("payments-executor", decision.Explanation, StringComparison.Ordinal);
        Assert.DoesNotContain("payments-executor", decision.Refusal!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_claim_in_an_agents_condition_denies_instead_of_guessing() =>
        AssertDenied(
            RefusalCode.RuleFailed,
            Samples
                .Policy()
                .Evaluate(Samples.Payer with { Claims = Samples.Claims("{}") }, Samples.PaymentTask, Samples.Transfer)
        );

    [Fact]
    public void Admission_alone_says_who_may_claim_a_process()
    {
        var policy = Samples.Policy();

        Assert.Equal(new Admission("triage", null), policy.Admit(Samples.Triage, "invoice-triage"));
        Assert.Equal(RefusalCode.ProcessNotAdmitted, policy.Admit(Samples.Triage, "payments").Refusal?.Code);
        Assert.Equal(RefusalCode.ProcessUnknown, policy.Admit(Samples.Triage, "other").Refusal?.Code);
    }

    [Fact]
    public void A_credential_outside_the_catalogue_is_refused() =>
        AssertDenied(
            RefusalCode.CredentialUnknown,
            Samples
                .Policy()
                .Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling with { Credential = "billing" })
        );

    [Theory]
    [InlineData("read", true)]
    [InlineData("read,summarise", true)]
    [InlineData("", false)]
    [InlineData("write", false)]
    [InlineData("read,write", false)]
    [InlineData("Read", false)]
    public void Actions_are_a_non_empty_subset_of_those_offered(string actions, bool isAllowed)
    {
        var request = Samples.ReadBilling with { Actions = actions.Split(',', StringSplitOptions.RemoveEmptyEntries) };

        var decision = Samples.Policy().Evaluate(Samples.Triage, Samples.TriageTask, request);

        Assert.Equal(isAllowed ? null : RefusalCode.ActionNotOffered, decision.Refusal?.Code);
    }

    [Fact]
    public void A_ttl_under_a_second_is_refused() =>
        AssertDenied(
            RefusalCode.FieldInvalid,
            Samples
                .Policy()
                .Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling with { Ttl = TimeSpan.Zero })
        );

    [Theory]
    [InlineData("transfer", """{"amount":100,"iban":"DE02120300000000202051"}""", null)]
    [InlineData(
        "transfer",
        """{"amount":0,"iban":"DE02120300000000202051"}""",
        "arguments.amount fails exclusiveMinimum"
    )]
    [InlineData("transfer", """{"amount":100}""", "arguments lacks iban")]
    [InlineData("transfer", """{"amount":100,"iban":"DE02120300000000202051","note":1}""", "arguments takes no note")]
    [InlineData("transfer", """{"amount":100,"iban":"DE02120300000000202051\n"}""", "arguments.iban fails pattern")]
    [InlineData("wire", "{}", "not offered for that tool")]
    public void A_tool_calls_arguments_fit_the_entrys_schema(string tool, string arguments, string? fault)
    {
        var tolerant = Samples.Policy(("toleratesRuntimeAction: false", "toleratesRuntimeAction: true"));

        var decision = tolerant.Evaluate(
            Samples.Payer,
            Samples.PaymentTask,
            Samples.Transfer with
            {
                ToolCall = new(tool, Samples.Json(arguments)),
            }
        );

        Assert.Equal(fault is null ? null : RefusalCode.ToolArgumentsInvalid, decision.Refusal?.Code);
        Assert.Contains(fault ?? "", decision.Refusal?.Detail ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", RefusalCode.ToolArgumentsInvalid)]
    [InlineData("    toolCall: required\n", RefusalCode.ToolArgumentsInvalid)]
    // Past that check: the rules decide, and the one that allows looks at the call.
    [InlineData("    toolCall: optional\n", RefusalCode.NoRuleAllows)]
    public void Where_an_entry_checks_tool_calls_one_cannot_be_left_out(string setting, RefusalCode expected)
    {
        var policy = Samples.Policy(
            ("toleratesRuntimeAction: false", "toleratesRuntimeAction: true"),
            ("    maxTtl: 2m\n", $"{setting}    maxTtl: 2m\n")
        );

        var decision = policy.Evaluate(Samples.Payer, Samples.PaymentTask, Samples.Transfer with { ToolCall = null });

        Assert.Equal(expected, decision.Refusal?.Code);
    }

    [Fact]
    public void Nothing_matching_denies() =>
        AssertDenied(
            RefusalCode.NoRuleAllows,
            Samples.Policy().Evaluate(Samples.Payer, Samples.PaymentTask, Samples.ReadBilling)
        );

    [Fact]
    public void Deny_beats_allow_wherever_it_stands()
    {
        var policy = Samples.Policy(
            (
                "  - id: triage-reads-billing",
                "  - { id: no-billing, effect: deny, when: 'request.resource == \"secret\"' }\n"
                    + "  - id: triage-reads-billing"
            )
        );

        var decision = policy.Evaluate(
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Resource = "secret",
            }
        );

        AssertDenied(RefusalCode.DeniedByRule, decision);
        Assert.Equal("no-billing", decision.RuleId);
        Assert.Equal(["no-billing", "triage-reads-billing"], decision.MatchedRules);
    }

    [Fact]
    public void The_smallest_maximum_of_all_matching_rules_is_granted()
    {
        var policy = Samples.Policy(
            (
                "rules:\n",
                "rules:\n"
                    + "  - { id: narrow, effect: allow, when: 'credential.name == \"billing-readonly\"', maxTtl: 90s }\n"
            )
        );

        var decision = policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);

        Assert.Equal(TimeSpan.FromSeconds(90), decision.Grant!.MaxTtl);
        Assert.Equal(["narrow", "triage-reads-billing"], decision.MatchedRules);
    }

    [Fact]
    public void An_error_in_any_rule_denies_even_what_another_rule_allows()
    {
        var policy = Samples.Policy(
            ("rules:\n", "rules:\n  - { id: broken, effect: deny, when: 'toolCall.arguments.dryRun == true' }\n")
        );

        var decision = policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);

        AssertDenied(RefusalCode.RuleFailed, decision);
        Assert.Equal("broken", decision.RuleId);
        Assert.Contains("no such key: dryRun", decision.Explanation, StringComparison.Ordinal);
        Assert.DoesNotContain("dryRun", decision.Refusal!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_step_cap_counts_the_whole_decision_and_denies()
    {
        var items = string.Join(", ", Enumerable.Range(0, 30));
        var slow = string.Concat(
            Enumerable
                .Range(0, 5)
                .Select(index =>
                    $"  - {{ id: slow-{index}, effect: deny, when: "
                    + $"'[{items}].exists(a, [{items}].exists(b, [{items}].exists(c, a + b + c < 0)))' }}\n"
                )
        );
        var policy = Samples.Policy(("rules:\n", "rules:\n" + slow));

        var decision = policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);

        AssertDenied(RefusalCode.RuleFailed, decision);
        Assert.Contains("too many steps", decision.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void The_absent_ttl_a_rule_sees_is_the_entrys_maximum()
    {
        var policy = Samples.Policy(
            (
                "credential.name == \"billing-readonly\"",
                "credential.name == \"billing-readonly\" && request.ttl <= duration(\"5m\")"
            )
        );

        AssertDenied(
            RefusalCode.NoRuleAllows,
            policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling)
        );
        Assert.Equal(
            PolicyEffect.Allow,
            policy
                .Evaluate(
                    Samples.Triage,
                    Samples.TriageTask,
                    Samples.ReadBilling with
                    {
                        Ttl = TimeSpan.FromMinutes(5),
                    }
                )
                .Effect
        );
    }

    /// <summary>What a condition can read, each as this request and its neighbours say it.</summary>
    [Theory]
    [InlineData("agent == 'triage' && identity.subject == 'spiffe://acme.example/agents/triage/7'")]
    [InlineData(
        "identity.issuer == 'spiffe://acme.example' && identity.instance == '7' && identity.workload == 'triage'"
    )]
    [InlineData("identity.proof == 'jwt-svid' && identity.trustDomain == 'acme.example' && size(identity.claims) == 0")]
    [InlineData("identity.spiffeId.startsWith('spiffe://acme.example/')")]
    [InlineData("task.id == 'task-1' && task.process == 'invoice-triage' && task.purpose.contains('invoices')")]
    [InlineData("task.onBehalfOf.issuer == '' && task.onBehalfOf.subject == ''")]
    [InlineData(
        "credential.name == 'agent-mtls' && credential.engine == 'pki' "
            + "&& credential.access == 'read' && credential.category == '' && credential.impact == 'low'"
    )]
    [InlineData("credential.revocation == 'crl' && credential.reversible")]
    [InlineData(
        "request.actions == ['connect'] && request.resource == 'host-1' "
            + "&& request.delivery == 'direct' && request.ttl == duration('600s')"
    )]
    [InlineData(
        "toolCall.name == 'open' && toolCall.arguments.port == 443 "
            + "&& toolCall.arguments.hosts.exists(h, h == 'a') && !has(toolCall.arguments.user)"
    )]
    [InlineData(
        "process.owner.issuer == 'https://idp.acme.example' "
            + "&& process.owner.subject.startsWith('4afe') && process.tolerates"
    )]
    [InlineData("delegation.depth == 0 && delegation.root == '' && delegation.parent == '' && context.gate == []")]
    public void A_condition_reads_every_declared_name(string condition)
    {
        var policy = Samples.Policy(
            ("agent == \"triage\" && credential.name == \"agent-mtls\"", condition.Replace('\'', '"'))
        );
        var request = new CredentialRequest
        {
            Credential = "agent-mtls",
            Actions = ["connect"],
            Resource = "host-1",
            ToolCall = new("open", Samples.Json("""{"port":443,"hosts":["b","a"]}""")),
        };

        var decision = policy.Evaluate(Samples.Triage, Samples.TriageTask, request);

        Assert.Equal(("", PolicyEffect.Allow), (decision.Refusal?.Detail ?? "", decision.Effect));
    }

    [Fact]
    public void A_decision_is_the_same_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            var elsewhere = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            elsewhere.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = elsewhere;
            var policy = Samples.Policy(
                (
                    "agent == \"triage\" && credential.name == \"agent-mtls\"",
                    "string(1.5) == \"1.5\" && double(\"2.5\") == 2.5 && \"I\" != \"i\""
                )
            );

            Assert.Equal(
                PolicyEffect.Allow,
                policy
                    .Evaluate(
                        Samples.Triage,
                        Samples.TriageTask,
                        new() { Credential = "agent-mtls", Actions = ["connect"] }
                    )
                    .Effect
            );
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static void AssertDenied(RefusalCode code, Decision decision)
    {
        Assert.Equal(PolicyEffect.Deny, decision.Effect);
        Assert.Equal(code, decision.Refusal?.Code);
        Assert.Null(decision.Grant);
    }
}
