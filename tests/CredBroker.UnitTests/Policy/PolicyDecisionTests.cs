using CredBroker.Core;
using CredBroker.Core.Policy;

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

        var shorter = policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling with { Ttl = TimeSpan.FromMinutes(3) });
        var longer = policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling with { Ttl = TimeSpan.FromHours(1) });

        Assert.Equal((TimeSpan.FromMinutes(3), false), (shorter.Grant!.Ttl, shorter.Grant.TtlCut));
        Assert.Equal((TimeSpan.FromMinutes(10), true), (longer.Grant!.Ttl, longer.Grant.TtlCut));
    }

    [Fact]
    public void The_same_inputs_give_an_equal_decision()
    {
        var policy = Samples.Policy();

        Assert.Equal(
            policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling),
            policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling));
    }

    [Fact]
    public void An_unknown_process_is_refused() =>
        AssertDenied(RefusalCode.ProcessUnknown, Samples.Policy().Evaluate(Samples.Triage, Samples.TriageTask with { Process = "other" }, Samples.ReadBilling));
    [Fact]
    public void An_identity_that_no_agent_of_the_process_admits_is_refused() =>
        AssertDenied(RefusalCode.ProcessNotAdmitted, Samples.Policy().Evaluate(Samples.Triage, Samples.PaymentTask, Samples.ReadBilling));

    private static void AssertDenied(RefusalCode code, Decision decision)
    {
        Assert.Equal(PolicyEffect.Deny, decision.Effect);
        Assert.Equal(code, decision.Refusal?.Code);
        Assert.Null(decision.Grant);
    }
}
