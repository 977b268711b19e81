using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.UnitTests.Policy;

/// <summary>Rules that have people decide: what they may say, and what they ask.</summary>
public sealed class ChallengeTests
{
    private const string Approval =
        "approval: { approvers: [\"group:finance-leads\"], quorum: 1, expiresAfter: 30m, executor: payments-executor, "
        + "show: [{ label: Amount, path: toolCall.arguments.amount }, "
        + "{ label: To, path: toolCall.arguments.iban, as: digest }] }";

    private static readonly (string, string) Challenged = (
        "id: payments-need-a-human\n    effect: allow",
        "id: payments-need-a-human\n    effect: challenge\n    maxTtl: 90s\n    " + Approval
    );

    private static readonly Approver.Person Treasurer = new("https://idp.acme.example", "70fd3e76-0000");

    [Fact]
    public void A_challenge_says_what_would_be_granted_and_who_is_asked()
    {
        var decision = Pay(Samples.Policy(Challenged));

        Assert.Equal(
            (PolicyEffect.Challenge, "payments-need-a-human", RefusalCode.ApprovalNeeded),
            (decision.Effect, decision.RuleId, decision.Refusal?.Code)
        );
        Assert.Equal(
            (TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(90), "payments-api-key"),
            (decision.Grant!.Ttl, decision.Grant.MaxTtl, decision.Grant.Entry.Name)
        );
        var demand = Assert.Single(decision.Approval!.Demands);
        Assert.Equal([new Approver.Group("finance-leads")], demand.Approvers);
        Assert.Equal(
            ("payments-need-a-human", 1, TimeSpan.FromMinutes(30), "payments-executor"),
            (demand.RuleId, demand.Quorum, demand.ExpiresAfter, demand.Executor)
        );
        Assert.Equal(
            [
                new ShownArgument("Amount", "toolCall.arguments.amount", AsDigest: false),
                new ShownArgument("To", "toolCall.arguments.iban", AsDigest: true),
            ],
            demand.Show
        );
        Assert.Empty(demand.NotBy);
    }

    [Fact]
    public void Every_matching_rule_asks_and_the_shortest_life_counts()
    {
        var decision = Pay(
            Samples.Policy(
                Challenged,
                (
                    "rules:\n",
                    "rules:\n  - { id: audit, effect: challenge, when: 'credential.impact == \"high\"', maxTtl: 60s,\n"
                        + "      approval: { approvers: [owner], expiresAfter: 5m, notOwner: false } }\n"
                )
            )
        );

        Assert.Equal(["audit", "payments-need-a-human"], decision.Approval!.Demands.Select(demand => demand.RuleId));
        Assert.Equal([Treasurer], decision.Approval.Demands[0].Approvers);
        Assert.Equal("payments-executor", decision.Approval.Executor);
        Assert.Equal(TimeSpan.FromSeconds(60), decision.Grant!.MaxTtl);
    }

    [Fact]
    public void Two_different_executors_deny()
    {
        var decision = Pay(
            Samples.Policy(
                Challenged,
                (
                    "rules:\n",
                    "rules:\n  - { id: other, effect: challenge, when: 'credential.impact == \"high\"',\n"
                        + "      approval: { approvers: [owner], expiresAfter: 5m, executor: payer } }\n"
                )
            )
        );

        Assert.Equal((PolicyEffect.Deny, RefusalCode.ExecutorsDiffer), (decision.Effect, decision.Refusal!.Code));
        Assert.Null(decision.Grant);
    }

    [Fact]
    public void A_deny_rule_is_stricter_than_a_challenge_and_a_challenge_than_an_allow()
    {
        const string more = "rules:\n  - { id: more, effect: EFFECT, when: 'credential.impact == \"high\"' }\n";
        var allowed = Pay(Samples.Policy(Challenged, ("rules:\n", more.Replace("EFFECT", "allow"))));
        var denied = Pay(Samples.Policy(Challenged, ("rules:\n", more.Replace("EFFECT", "deny"))));

        Assert.Equal((PolicyEffect.Challenge, "payments-need-a-human"), (allowed.Effect, allowed.RuleId));
        Assert.Equal((PolicyEffect.Deny, "more"), (denied.Effect, denied.RuleId));
    }

    [Fact]
    public void What_only_the_gate_asks_goes_to_the_processs_owner_and_without_one_is_denied()
    {
        (string, string)[] gated =
        [
            ("toleratesRuntimeAction: true", "toleratesRuntimeAction: false"),
            ("access: read                   #", "access: write                   #"),
        ];
        var asked = Read(Samples.Policy(gated));
        var demand = Assert.Single(asked.Approval!.Demands);
        Assert.Equal((PolicyEffect.Challenge, "", ""), (asked.Effect, asked.RuleId, demand.RuleId));
        Assert.Equal([new Approver.Person("https://idp.acme.example", "4afe0119-0000")], demand.Approvers);

        var nobody = Read(
            Samples.Policy([
                .. gated,
                (
                    "    owner: { issuer: \"https://idp.acme.example\", subject: \"4afe0119-0000\", "
                        + "contact: finance-ops@acme.example }\n",
                    ""
                ),
            ])
        );
        Assert.Equal((PolicyEffect.Deny, RefusalCode.NobodyToAsk), (nobody.Effect, nobody.Refusal!.Code));
    }

    [Theory]
    [InlineData("approvers: [owner], notOwner: false", false)]
    [InlineData("approvers: [\"group:g\"], notOwner: true", true)]
    public void The_owner_may_approve_or_may_not_as_the_rule_says(string said, bool excluded)
    {
        var demand = Assert.Single(
            Pay(Samples.Policy(Challenged, ("approvers: [\"group:finance-leads\"]", said))).Approval!.Demands
        );

        Assert.Equal(excluded ? [Treasurer] : [], demand.NotBy);
        Assert.Equal(excluded ? new Approver.Group("g") : Treasurer, Assert.Single(demand.Approvers));
    }

    /// <summary>Nobody is disturbed, and nobody waits, for an approval that cannot come about.</summary>
    [Theory]
    [InlineData("[{ issuer: \"https://idp.acme.example\", subject: \"70fd3e76-0000\" }], notOwner: true", false)]
    [InlineData("[{ issuer: \"https://idp.acme.example\", subject: payer-service }]", false)]
    [InlineData("[owner, { issuer: \"https://idp.acme.example\", subject: \"70fd3e76-0000\" }], quorum: 2", false)]
    [InlineData("[owner, { issuer: \"https://idp.acme.example\", subject: other }], quorum: 2", true)]
    [InlineData("[\"role:approver\", { issuer: \"https://idp.acme.example\", subject: payer-service }]", true)]
    [InlineData(
        "[{ issuer: \"https://idp.acme.example\", subject: payer-service }], escalate: { after: 5m, to: [owner] }",
        true
    )]
    [InlineData("[owner], quorum: 2, escalate: { after: 5m, to: [owner, \"group:g\"] }", true)]
    [InlineData(
        "[owner], quorum: 2, escalate: { after: 5m, to: [{ issuer: \"https://idp.acme.example\", subject: payer-service }] }",
        false
    )]
    public void A_challenge_that_too_few_people_could_approve_is_a_denial(string approvers, bool canBeMet)
    {
        var decision = Pay(Samples.Policy(Challenged, ("[\"group:finance-leads\"], quorum: 1, ", approvers + ", ")));

        Assert.Equal(canBeMet ? RefusalCode.ApprovalNeeded : RefusalCode.NobodyToAsk, decision.Refusal?.Code);
        Assert.Equal("payments-need-a-human", decision.RuleId);
    }

    [Theory]
    [InlineData("expiresAfter: 30m, ", "", "{ approvers » `expiresAfter` is missing")]
    [InlineData("30m", "59s", "59s » `expiresAfter` must be at least 1m")]
    [InlineData("30m", "25h", "25h » `expiresAfter` must be a whole number of s, m or h up to 24h")]
    [InlineData("approvers: [\"group:finance-leads\"], ", "", "{ quorum » `approvers` is missing")]
    [InlineData("[\"group:finance-leads\"]", "[]", "[] » `approvers` is empty")]
    [InlineData("[\"group:finance-leads\"]", "owner", "owner » `approvers` must be a list, not a text")]
    [InlineData("\"group:finance-leads\"", "finance-leads", "finance-leads » an approver is \"group:NAME\"")]
    [InlineData("\"group:finance-leads\"", "\"group:\"", "\"group:\" » an approver is \"group:NAME\"")]
    [InlineData("\"group:finance-leads\"", "\"group:a\\tb\"", "\"group:a » an approver is \"group:NAME\"")]
    [InlineData("\"group:finance-leads\"", "[owner]", "[owner » an approver is \"group:NAME\"")]
    [InlineData("\"group:finance-leads\"", "\"role:aprover\"", "\"role » there is no role `aprover`, did you mean")]
    [InlineData("\"group:finance-leads\"", "{ issuer: a }", "{ issuer » `subject` is missing")]
    [InlineData("\"group:finance-leads\"", "owner, owner", "owner], » this approver stands in `approvers` twice")]
    [InlineData(
        "\"group:finance-leads\"",
        "{ issuer: a, subject: b }, { issuer: a, subject: b }",
        "{ issuer: a, subject: b }], » this approver stands in `approvers` twice"
    )]
    [InlineData("quorum: 1", "quorum: 0", "0 » `quorum` must be a whole number from 1 to 32")]
    [InlineData("quorum: 1", "quorum: 33", "33 » `quorum` must be a whole number from 1 to 32")]
    [InlineData(
        "[\"group:finance-leads\"], quorum: 1",
        "[owner, { issuer: a, subject: b }], quorum: 3",
        "3 » `quorum` asks for 3 people, and `approvers` names 2"
    )]
    [InlineData(
        "[\"group:finance-leads\"]",
        "[owner], notOwner: true",
        "owner » `owner` is asked here, and `notOwner` keeps the owner from approving"
    )]
    [InlineData(
        "executor: payments-executor",
        "executor: payments-exector",
        "payments-exector » there is no agent `payments-exector`, did you mean `payments-executor`?"
    )]
    [InlineData("toolCall.arguments.amount", "arguments.amount", "arguments » a path begins with toolCall.arguments")]
    [InlineData("toolCall.arguments.amount", "task.purpose", "task.purpose » a path begins with toolCall.arguments")]
    [InlineData("toolCall.arguments.amount", "toolCall.argumentsX", "toolCall » a path begins with toolCall.arguments")]
    [InlineData(
        "toolCall.arguments.amount",
        "toolCall.arguments.amout",
        "toolCall » the schema of the tool's arguments has no `toolCall.arguments.amout`"
    )]
    [InlineData(
        "toolCall.arguments.amount",
        "toolCall.arguments.amount.x",
        "toolCall » the schema of the tool's arguments has no `toolCall.arguments.amount.x`"
    )]
    [InlineData("label: To", "label: Amount", "Amount » another argument is shown as `Amount`")]
    [InlineData("label: To", "label: \"a\\nb\"", "\"a » a label is at most 40 visible characters")]
    [InlineData("as: digest", "as: hash", "hash » `as` must be one of digest")]
    [InlineData(
        "{ label: Amount, path: toolCall.arguments.amount }",
        "Amount",
        "Amount » a shown argument must be a mapping"
    )]
    [InlineData("30m", "30m, escalate: 5m", "5m » `escalate` must be a mapping")]
    [InlineData("30m", "30m, escalate: { to: [owner] }", "{ to » `after` is missing")]
    [InlineData("30m", "30m, escalate: { after: 5m }", "{ after » `to` is missing")]
    [InlineData("30m", "30m, escalate: { after: 59s, to: [owner] }", "59s » `after` must be at least 1m")]
    [InlineData(
        "30m",
        "30m, escalate: { after: 30m, to: [owner] }",
        "30m, to » `after` must be less than `expiresAfter`"
    )]
    [InlineData(
        "30m",
        "30m, escalate: { after: 25h, to: [owner] }",
        "25h » `after` must be a whole number of s, m or h"
    )]
    [InlineData("30m", "30m, escalate: { after: 5m, to: [] }", "[] » `to` is empty: nobody could be asked")]
    [InlineData("30m", "30m, escalate: { after: 5m, to: [people] }", "people » an approver is")]
    [InlineData(
        "30m",
        "30m, escalate: { after: 5m, to: [owner, owner] }",
        "owner] » this approver stands in `to` twice"
    )]
    [InlineData("30m", "30m, notOwner: true, escalate: { after: 5m, to: [owner] }", "owner] » `owner` is asked here")]
    [InlineData("30m", "30m, escalate: { after: 5m, to: [owner], at: 1 }", "at » `escalate` has no key `at`")]
    [InlineData("quorum: 1", "quorums: 1", "quorums » an approval has no key `quorums`, did you mean `quorum`?")]
    public void A_fault_is_named_with_its_place(string old, string replacement, string wanted)
    {
        Assert.Contains(old, Approval, StringComparison.Ordinal);
        var at = Approval.IndexOf(old, StringComparison.Ordinal);
        var edited = Approval[..at] + replacement + Approval[(at + old.Length)..];
        var text = Samples.Edited((Challenged.Item1, Challenged.Item2.Replace(Approval, edited)));

        var fault = Assert.Single(PolicyCompiler.Compile(Samples.Document(text)).Faults);

        var place = text.Split('\n')[fault.Line - 1][(fault.Column - 1)..];
        var (where, what) = (wanted.Split(" » ")[0], wanted.Split(" » ")[1]);
        Assert.StartsWith(where, place, StringComparison.Ordinal);
        Assert.StartsWith(what, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_without_labels_are_faults_each()
    {
        var text = Samples.Edited(
            (
                Challenged.Item1,
                Challenged.Item2.Replace(
                    "show: [",
                    "show: [{ path: toolCall.arguments }, { label: '', path: toolCall.arguments }, ",
                    StringComparison.Ordinal
                )
            )
        );

        Assert.Equal(
            ["`label` is missing", "`label` is empty"],
            PolicyCompiler.Compile(Samples.Document(text)).Faults.Select(fault => fault.Message)
        );
    }

    /// <summary>Where the tool has no schema, or it is not known which entry is meant, any argument may be there.</summary>
    [Theory]
    [InlineData("credential.category == \"money-movement\" && toolCall.name == \"refund\"", false)]
    [InlineData("credential.category == \"money-movement\"", false)]
    [InlineData("true", true)]
    [InlineData("credential.name == \"billing-readonly\"", true)]
    public void A_shown_argument_is_looked_for_in_the_schemas_of_the_entries_that_the_rule_means(
        string when,
        bool loads
    ) =>
        Assert.Equal(
            loads,
            PolicyCompiler
                .Compile(
                    Samples.Document(
                        Samples.Edited(
                            (
                                "rules:\n",
                                $"rules:\n  - {{ id: x, effect: challenge, when: '{when}', approval: {{ approvers: [owner], "
                                    + "expiresAfter: 1h, show: [{ label: A, path: toolCall.arguments.other }] } }\n"
                            )
                        )
                    )
                )
                .Faults.Count == 0
        );

    [Fact]
    public void A_stored_challenge_reads_back_as_it_was()
    {
        var record = new DecisionRecord
        {
            Id = "1",
            PolicyVersion = 1,
            Identity = Samples.Payer,
            Task = Samples.PaymentTask,
            Request = Samples.Transfer,
            Verdict = Pay(
                Samples.Policy(
                    Challenged,
                    (
                        "[\"group:finance-leads\"]",
                        "[\"group:finance-leads\", \"role:approver\", { issuer: a, subject: b }], notOwner: true"
                    )
                )
            ),
        };

        var text = JsonSerializer.Serialize(record, StateJson.Default.DecisionRecord);
        var back = JsonSerializer.Deserialize(text, StateJson.Default.DecisionRecord)!;

        Assert.Equal(text, JsonSerializer.Serialize(back, StateJson.Default.DecisionRecord));
        var demand = Assert.Single(back.Verdict.Approval!.Demands);
        Assert.Equal(
            [new Approver.Group("finance-leads"), new Approver.Role("approver"), new Approver.Person("a", "b")],
            demand.Approvers
        );
        Assert.Equal([Treasurer], demand.NotBy);
        Assert.Equal(PolicyEffect.Challenge, back.Verdict.Effect);
        Assert.Equal("challenge", DecisionFacts.Judgement(back).Effect);
        Assert.Equal(("CB2008", record.Verdict.Refusal!.Detail), DecisionFacts.Judgement(back).Remediation);
    }

    [Fact]
    public void A_decision_that_was_stored_before_there_were_challenges_reads_as_one_that_asks_nobody()
    {
        var text = JsonSerializer.Serialize(
            new DecisionRecord
            {
                Id = "1",
                PolicyVersion = 1,
                Identity = Samples.Triage,
                Task = Samples.TriageTask,
                Request = Samples.ReadBilling,
                Verdict = Read(Samples.Policy()),
            },
            StateJson.Default.DecisionRecord
        );

        var earlier = text.Replace("\"obligations\":[],", "", StringComparison.Ordinal);

        Assert.NotEqual(text, earlier);
        Assert.Empty(JsonSerializer.Deserialize(earlier, StateJson.Default.DecisionRecord)!.Verdict.Obligations);
    }

    private static Decision Pay(PolicySet policy) =>
        policy.Evaluate(Samples.Payer, Samples.PaymentTask, Samples.Transfer);

    private static Decision Read(PolicySet policy) =>
        policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);
}
