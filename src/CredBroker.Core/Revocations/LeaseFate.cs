using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// What a policy makes of a live lease, from the inputs stored with it. The one function for it: what a preview lists is
/// what applying ends.
/// </summary>
/// <param name="EndedBy">The rule, or the code, that no longer allows it; null where it stays.</param>
/// <param name="EndsAt">The earlier end of one that stays for less time; null where its end stays, too.</param>
public sealed record LeaseFate(string? EndedBy, DateTimeOffset? EndsAt)
{
    private static readonly LeaseFate Stays = new(null, null);

    /// <summary>The fate of a lease that is pending or active.</summary>
    public static LeaseFate Of(Lease lease, PolicySet policy)
    {
        var asked = AskedFor(lease.Decision);
        var decision = policy.EvaluateInForce(asked.Identity, asked.Task, asked.Request);
        var granted = lease.Grant;
        if (
            decision.Grant is not { } grant
            || !(decision.Effect == PolicyEffect.Allow || IsApprovedStill(lease.Decision, asked, decision))
            || grant.Entry.Vault != granted.Entry.Vault
            || (lease.State == LeaseState.Pending && granted.Ttl > grant.MaxTtl)
        ) // It would become active with the old, longer life, and nobody would look again.
        {
            return new(decision.RuleId.Length > 0 ? decision.RuleId : decision.Refusal?.CodeText ?? "catalogue", null);
        }

        return
            lease is { State: LeaseState.Active, ActivatedAt: { } activatedAt, ExpiresAt: { } expiresAt }
            && activatedAt + grant.MaxTtl is var end
            && end < expiresAt
            ? new(null, end)
            : Stays;
    }

    /// <summary>What policy decides on: where an executor holds the lease, what the preparer asked for.</summary>
    internal static DecisionRecord AskedFor(DecisionRecord decision) =>
        decision.Approval?.PreparedBy is { } preparer
            ? decision with
            {
                Identity = preparer,
                Request = decision.Request with { Csr = null },
            }
            : decision;

    /// <summary>Whether it stands on an approval of exactly what the new policy would ask people for.</summary>
    internal static bool IsApprovedStill(DecisionRecord granted, DecisionRecord asked, Decision decision) =>
        decision.Effect == PolicyEffect.Challenge
        && granted.Approval is { } approval
        // A limit binds what opens, and this one was let pass.
        && LimitDemands.With(decision, [.. LimitDemands.In(granted.Verdict)]) is var same
        && (
            // In a time box it may have been asked for otherwise than people saw: what that fixes has to be the same.
            approval.TimeBox
                is { } timeBox
                ? ApprovalDigest.OfTimeBox(asked.Identity, asked.Task, asked.Request, same) == timeBox.Digest
                : ApprovalDigest.Of(asked.Identity, asked.Task, asked.Request, same) == approval.Digest
        );
}
