using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <content>
/// Time boxes: what people let be issued again. What fits one is issued without asking; what does not is a new question,
/// and nobody is told why.
/// </content>
public sealed partial class ApprovalRequests
{
    // A secret for less is of no use, and Vault counts in seconds.
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The challenge as an allow in an open time box of the same caller, and the use to reserve; unchanged where none fits.
    /// What an executor redeems it names by its approval, and the one that asked is asked anew.
    /// </summary>
    public async ValueTask<(DecisionRecord Decision, ApprovalUse? Use)> EnterTimeBoxAsync(
        DecisionRecord decision,
        CancellationToken cancellationToken
    )
    {
        if (decision.Verdict.Approval is not { TimeBox: not null, Executor: "" })
        {
            return (decision, null);
        }

        var open = await store.TimeBoxes.FindOpenAsync(
            Approval.CallerKeyOf(decision.Identity),
            TimeBoxDigestOf(decision),
            cancellationToken
        );
        foreach (var timeBox in open)
        {
            if (Enter(timeBox, decision, decision, preparer: null, decision.Verdict.Agent) is { } entered)
            {
                return entered;
            }
        }

        return (decision, null);
    }

    /// <summary>The open time box of an approval that is used up; null where there is none.</summary>
    private async ValueTask<TimeBox?> FindTimeBoxAsync(Approval approval, CancellationToken cancellationToken) =>
        approval is { State: ApprovalState.Redeemed, TimeBox: not null }
        && await store.TimeBoxes.FindAsync(approval.Id, cancellationToken) is { } timeBox
        && timeBox.IsOpenAt(store.Position)
            ? timeBox
            : null;

    /// <summary>
    /// An allow that stands on the time box, if what is asked for now is no more than people gave: the same by its digest,
    /// of the actions no others, and no longer. It ends with the time box.
    /// </summary>
    private (DecisionRecord Decision, ApprovalUse? Use)? Enter(
        TimeBox timeBox,
        DecisionRecord decision,
        DecisionRecord asked,
        WorkloadIdentity? preparer,
        string agent
    )
    {
        var (approval, position) = (timeBox.Approval, store.Position);
        var left = timeBox.EndsAt - position.Counted;
        if (
            asked.Verdict is not { Effect: PolicyEffect.Challenge, Grant: { } grant }
            || approval is not { State: ApprovalState.Redeemed, TimeBox: not null, Decision.Verdict.Grant: { } given }
            || TimeBoxDigestOf(asked) is var digest && digest != timeBox.Digest
            || !asked.Request.Actions.All(approval.Decision.Request.Actions.Contains)
            || grant.Ttl > given.Ttl
            || !timeBox.IsOpenAt(position)
            || left < Second
            || timeBox.Uses >= TimeBox.MaxUses
        )
        {
            return null;
        }

        var ttl = grant.Ttl < left ? grant.Ttl : TimeSpan.FromSeconds(Math.Floor(left.TotalSeconds));
        return (
            decision with
            {
                Approval = new()
                {
                    Id = approval.Id,
                    Digest = approval.Digest,
                    TimeBox = new(timeBox.Digest, timeBox.EndsAt),
                    PreparedBy = preparer,
                },
                Verdict = asked.Verdict with
                {
                    Effect = PolicyEffect.Allow,
                    Agent = agent,
                    Refusal = null,
                    // As with the approval itself, nothing extends it.
                    Grant = grant with
                    {
                        Ttl = ttl,
                        MaxTtl = ttl,
                        TtlCut = grant.TtlCut || ttl < grant.Ttl,
                    },
                },
            },
            new(approval.Id, approval.Digest, timeBox.Digest) { IsInTimeBox = true }
        );
    }

    private static string TimeBoxDigestOf(DecisionRecord decision) =>
        ApprovalDigest.OfTimeBox(decision.Identity, decision.Task, decision.Request, decision.Verdict);
}
