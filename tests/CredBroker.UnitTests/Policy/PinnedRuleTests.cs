using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy;

/// <summary>
/// A rule that fixes agent or credential by a top-level conjunct is not run for any other; what it decides is the same.
/// </summary>
public sealed class PinnedRuleTests
{
    [Theory]
    [InlineData("""credential.name == "agent-mtls" && toolCall.arguments.missing == 1""")]
    [InlineData("""toolCall.arguments.missing == 1 && "agent-mtls" == credential.name""")]
    [InlineData("""agent == "payer" && toolCall.arguments.missing == 1""")]
    public void A_failing_rule_that_is_fixed_to_something_else_denies_nothing(string when) =>
        Assert.Equal(PolicyEffect.Allow, Decide(when).Effect);

    [Theory]
    [InlineData("""credential.name == "billing-readonly" && toolCall.arguments.missing == 1""")]
    [InlineData("""agent == "triage" && toolCall.arguments.missing == 1""")]
    [InlineData("""(agent == "payer" || credential.name == "agent-mtls") || toolCall.arguments.missing == 1""")]
    public void A_failing_rule_that_could_match_denies(string when) =>
        Assert.Equal(RefusalCode.RuleFailed, Decide(when).Refusal?.Code);

    [Fact]
    public void A_rule_fixed_to_two_agents_never_matches() =>
        Assert.Equal(["triage-reads-billing"], Decide("""agent == "triage" && agent == "payer" """).MatchedRules);

    private static Decision Decide(string when) =>
        Samples
            .Policy(("\nrules:\n", $"\nrules:\n  - {{ id: pinned, effect: deny, when: '{when}' }}\n"))
            .Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);
}
