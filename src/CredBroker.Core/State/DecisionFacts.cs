using CredBroker.Core.Audit;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Core.State;

/// <summary>What the audit log says of a decision, beside the decision itself.</summary>
public static class DecisionFacts
{
    /// <summary>Who asked, and by what right.</summary>
    public static AuditHolder Holder(DecisionRecord decision) =>
        new()
        {
            Issuer = decision.Identity.Issuer,
            Subject = decision.Identity.Subject,
            Instance = decision.Identity.Instance,
            Agent = decision.Verdict.Agent,
            Rule = decision.Verdict.RuleId,
            Owner = decision.Verdict.Grant?.Process.Owner is { } owner ? (owner.Issuer, owner.Subject) : null,
        };

    /// <summary>What was decided. Nobody can act for another yet, so the agent always acts for itself.</summary>
    public static AuditJudgement Judgement(DecisionRecord decision) =>
        new()
        {
            Actions = decision.Request.Actions,
            Resource = decision.Request.Resource,
            Tool = decision.Request.ToolCall?.Name ?? "",
            Effect = decision.Verdict.Effect switch
            {
                PolicyEffect.Allow => "allow",
                PolicyEffect.Challenge => "challenge",
                _ => "deny",
            },
            Posture =
            [
                .. decision.Verdict.Gate.Select(condition => (condition.Name, condition.Holds)),
                .. Hold(decision),
            ],
            Remediation = Remediation(decision.Verdict.Refusal),
        };

    /// <summary>A denial of a call that policy was not asked about.</summary>
    public static AuditJudgement Denial(string action, Refusal refusal) =>
        new()
        {
            Actions = [action],
            Effect = "deny",
            Remediation = Remediation(refusal),
        };

    // Said only where it is known: what policy denies is not looked up among the holds.
    private static IEnumerable<(string Condition, bool Holds)> Hold(DecisionRecord decision) =>
        decision.Verdict switch
        {
            { Effect: PolicyEffect.Allow } => [("not-held", true)],
            { Refusal.Code: RefusalCode.Held } => [("not-held", false)],
            _ => [],
        };

    private static (string Code, string Detail)? Remediation(Refusal? refusal) =>
        refusal is null ? null : (refusal.CodeText, refusal.Detail);
}
