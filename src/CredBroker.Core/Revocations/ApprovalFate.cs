using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Why a policy takes an open question back, or ends the time box that was given with its approval: it no longer asks the
/// same people for the same. The one function for it: what a preview lists is what applying takes back and ends.
/// </summary>
/// <param name="Effect">What the policy says to the same request now; a challenge, where it asks otherwise.</param>
/// <param name="DecidedBy">The rule, or the code, that says it.</param>
public sealed record ApprovalFate(PolicyEffect Effect, string DecidedBy)
{
    /// <summary>The fate of an open question, or of an open time box by its approval; null where it stays.</summary>
    public static ApprovalFate? Of(Approval approval, PolicySet policy)
    {
        var asked = approval.Decision;
        // What a limit asked is not of policy's rules, and stays what it was if the limit still asks it.
        var now = LimitDemands.Again(
            policy.EvaluateInForce(asked.Identity, asked.Task, asked.Request),
            policy.Limits,
            LimitDemands.In(asked.Verdict),
            asked.Identity
        );
        return
            now.Effect == PolicyEffect.Challenge
            && ApprovalDigest.Of(asked.Identity, asked.Task, asked.Request, now) == approval.Digest
            ? null
            : new(now.Effect, now.RuleId.Length > 0 ? now.RuleId : now.Refusal?.CodeText ?? "gate");
    }
}
