using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>What a policy says to a request of the past, reduced to what two policies are compared by.</summary>
/// <param name="Effect">What it says.</param>
/// <param name="IsApproved">Whether it lets the request be because people had agreed to exactly that.</param>
/// <param name="Rule">The rule that decided; empty where none did.</param>
/// <param name="Code">Why not, where it denies; empty where it does not.</param>
public sealed record PolicyReplayVerdict(PolicyEffect Effect, bool IsApproved, string Rule, string Code)
{
    /// <summary>Whether it was, or would be, issued without anybody being asked any more.</summary>
    public bool IsLetBe => Effect == PolicyEffect.Allow;

    /// <summary>
    /// What policy said when it was asked. What a hold, a limit, Vault or the store denied afterwards is no word of
    /// policy's, which had granted it: that leaves its grant in the record.
    /// </summary>
    public static PolicyReplayVerdict Then(DecisionRecord decision)
    {
        var said = decision.Verdict;
        if (said is { Effect: PolicyEffect.Deny, Grant: null })
        {
            return new(PolicyEffect.Deny, false, said.RuleId, said.Refusal?.CodeText ?? "");
        }

        // What a limit alone asked people depends on what others had used by then.
        var asks = said.Approval?.Demands.Any(demand => demand.LimitId is null) == true;
        var isAgreed = decision.Approval is not null;
        return new(asks && !isAgreed ? PolicyEffect.Challenge : PolicyEffect.Allow, asks && isAgreed, said.RuleId, "");
    }

    /// <summary>What this policy says to the same.</summary>
    public static PolicyReplayVerdict Now(DecisionRecord decision, PolicySet policy)
    {
        var asked = LeaseFate.AskedFor(decision);
        var says = policy.EvaluateInForce(asked.Identity, asked.Task, asked.Request);
        return says.Effect switch
        {
            PolicyEffect.Deny => new(PolicyEffect.Deny, false, says.RuleId, says.Refusal?.CodeText ?? ""),
            PolicyEffect.Challenge when LeaseFate.IsApprovedStill(decision, asked, says) => new(
                PolicyEffect.Allow,
                true,
                says.RuleId,
                ""
            ),
            var effect => new(effect, false, says.RuleId, ""),
        };
    }
}
