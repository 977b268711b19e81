using System.Text.Json;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Linting;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.UnitTests.Policy;

/// <summary>A rule in shadow is tried and decides nothing; what it would have done stands beside the decision.</summary>
public sealed class ShadowRuleTests
{
    [Theory]
    [InlineData("effect: deny", PolicyEffect.Deny, "denied by rule tried")]
    [InlineData("effect: allow", PolicyEffect.Allow, "allowed by rule triage-reads-billing")]
    [InlineData(
        "effect: challenge, approval: { approvers: [owner], expiresAfter: 1h }",
        PolicyEffect.Challenge,
        "rule tried asks for a person's approval"
    )]
    [InlineData(
        "effect: challenge, approval: { approvers: [{ issuer: i, subject: s }, owner], quorum: 2, notOwner: false, expiresAfter: 1h }",
        PolicyEffect.Challenge,
        "rule tried asks for a person's approval"
    )]
    public void It_changes_nothing_and_says_what_would_have_been(string rule, PolicyEffect effect, string why)
    {
        var decision = Read(rule, "agent == \"triage\"");

        Assert.Equal(PolicyEffect.Allow, decision.Effect);
        Assert.Equal(["triage-reads-billing"], decision.MatchedRules);
        Assert.Equal(TimeSpan.FromMinutes(10), decision.Grant!.MaxTtl);
        Assert.Empty(decision.Obligations);
        Assert.Equal([new ShadowOutcome("tried", effect, why)], decision.Shadow);
    }

    [Fact]
    public void One_that_would_allow_what_is_denied_allows_nothing()
    {
        var policy = Samples.Policy(
            ("id: triage-reads-billing\n", "id: triage-reads-billing\n    enforcement: shadow\n")
        );

        var decision = policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);

        Assert.Equal((PolicyEffect.Deny, RefusalCode.NoRuleAllows), (decision.Effect, decision.Refusal!.Code));
        Assert.Empty(decision.MatchedRules);
        Assert.Equal(PolicyEffect.Allow, Assert.Single(decision.Shadow!).Effect);
    }

    /// <summary>An error in any other rule denies.</summary>
    [Fact]
    public void One_that_fails_denies_nothing_and_says_so()
    {
        var decision = Read("effect: allow", "agent == \"triage\" && toolCall.arguments.missing == 1");

        Assert.Equal(PolicyEffect.Allow, decision.Effect);
        var outcome = Assert.Single(decision.Shadow!);
        Assert.Equal(PolicyEffect.Deny, outcome.Effect);
        Assert.StartsWith("rule tried failed:", outcome.Explanation, StringComparison.Ordinal);
    }

    /// <summary>All rules of a decision share their steps; those of one in shadow are used last.</summary>
    [Fact]
    public void One_that_uses_up_the_steps_takes_none_from_the_others()
    {
        var nested = "[1,2,3,4,5,6,7,8,9,10]";
        var loop =
            $"{nested}.all(a, {nested}.all(b, {nested}.all(c, {nested}.all(d, {nested}.all(e, a + b + c + d + e > 0)))))";

        var decision = Read("effect: deny", loop);

        Assert.Equal(PolicyEffect.Allow, decision.Effect);
        Assert.StartsWith("rule tried failed:", Assert.Single(decision.Shadow!).Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_none_matches_nothing_is_recorded()
    {
        Assert.Null(Read("effect: deny", "agent == \"payer\"").Shadow);
        Assert.DoesNotContain("shadow", Stored(Read("effect: deny", "agent == \"payer\"")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_would_have_been_is_stored_with_the_decision() =>
        Assert.Contains(
            "\"shadow\":[{\"ruleId\":\"tried\",\"effect\":\"deny\",\"explanation\":\"denied by rule tried\"}]",
            Stored(Read("effect: deny", "agent == \"triage\"")),
            StringComparison.Ordinal
        );

    [Fact]
    public void The_linter_takes_no_rule_for_shadowed_by_one_that_is_not_in_force()
    {
        var messages = PolicyLint
            .Check(
                Samples.Document(
                    Samples.Edited(
                        (
                            "rules:\n",
                            "rules:\n  - { id: tried, effect: deny, enforcement: shadow, "
                                + "when: 'credential.engine == \"pki\"' }\n"
                        ),
                        ("id: triage-reads-billing\n", "id: triage-reads-billing\n    enforcement: shadow\n")
                    )
                )
            )
            .Select(warning => warning.Message)
            .ToList();

        Assert.DoesNotContain(messages, message => message.Contains("triage-connects", StringComparison.Ordinal));
        Assert.Contains("no rule allows the credential `billing-readonly`: nobody can get it", messages);
    }

    private static Decision Read(string rule, string when) =>
        Samples
            .Policy(("rules:\n", $"rules:\n  - {{ id: tried, enforcement: shadow, when: '{when}', {rule} }}\n"))
            .Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);

    private static string Stored(Decision decision) =>
        JsonSerializer.Serialize(
            new DecisionRecord
            {
                Id = "1",
                PolicyVersion = 1,
                Identity = Samples.Triage,
                Task = Samples.TriageTask,
                Request = Samples.ReadBilling,
                Verdict = decision,
            },
            StateJson.Default.DecisionRecord
        );
}
