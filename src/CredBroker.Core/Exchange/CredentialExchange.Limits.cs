using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Exchange;

/// <content>Limits that have no room: one refuses, another has people decide.</content>
public sealed partial class CredentialExchange
{
    /// <summary>
    /// The first limit that refuses it; and else the decision, as a challenge where limits have people decide.
    /// </summary>
    private async ValueTask<(DecisionRecord Decision, LimitBreach? Breach)> LimitAsync(DecisionRecord decision)
    {
        // What people are asked already, or have let pass, is not looked at again.
        List<LimitUse> uses =
        [
            .. LimitUse
                .Of(decision)
                .Select(use => use with { Passed = LimitDemands.PassedIn(decision.Verdict, use.Limit) }),
        ];
        var demands = new List<ApprovalDemand>();
        string? explanation = null;
        while (uses.Count > 0 && await store.Limits.FindBreachAsync(uses, CancellationToken.None) is { } breach)
        {
            // People agreed to what they were asked, and to no more.
            if (
                decision.Approval is not null
                || LimitDemands.Of(breach, decision.Verdict, decision.Identity) is not { } demand
            )
            {
                return (decision, breach);
            }

            demands.Add(demand);
            explanation ??= breach.Explanation;
            uses = uses.ConvertAll(use =>
                use.Limit == breach.Limit ? use with { Passed = [.. use.Passed, breach.Kind] } : use
            );
        }

        var verdict = LimitDemands.With(decision.Verdict, demands);
        return (
            decision with
            {
                Verdict = explanation is null ? verdict : verdict with { Explanation = explanation },
            },
            null
        );
    }

    /// <summary>Whether what kept it from being opened is worth another look, at which it may be asked of people.</summary>
    private static bool IsDecidedAnew(ExchangeCommand command, DecisionRecord notOpened) =>
        notOpened.Verdict.Refusal?.Code == RefusalCode.PolicyChanging
        // A time box that ended in between is none that fits any more: people are asked.
        || (
            notOpened is { Approval.TimeBox: not null, Verdict.Refusal.Code: RefusalCode.ApprovalUsed }
            && command.ApprovalId is null
        )
        || (notOpened.Verdict.Breach is { Limit.Challenges: true } && command.ApprovalId is null);
}
