using CredBroker.Core.Identity;

namespace CredBroker.Core.Policy;

/// <summary>
/// What limits ask of people, on top of what rules and gate ask. Policy alone does not know of it, as the store counts: it
/// is added to its decision where a limit is broken, and found again there when the approval is redeemed.
/// </summary>
public static class LimitDemands
{
    /// <summary>Those that a decision carries.</summary>
    public static IEnumerable<ApprovalDemand> In(Decision decision) =>
        decision.Approval?.Demands.Where(demand => demand.LimitId is not null) ?? [];

    /// <summary>The bounds of this limit that the decision asks people to let the request pass: no others.</summary>
    public static IReadOnlyList<LimitKind> PassedIn(Decision decision, PolicyLimit limit) =>
        [
            .. LimitBreach
                .Possible(limit)
                .Where(breach =>
                    In(decision).Any(demand => demand.LimitId == limit.Id && demand.LimitSays == breach.Explanation)
                )
                .Select(breach => breach.Kind),
        ];

    /// <summary>
    /// What one limit asks of people before this request may pass it; null where nobody is asked, and its breach is a
    /// denial. Where another agent redeems the approval, nobody is: the limit binds whoever receives the secret.
    /// </summary>
    public static ApprovalDemand? Of(LimitBreach breach, Decision decision, WorkloadIdentity identity) =>
        decision.Grant is { } grant
        && decision.Approval is not { Executor.Length: > 0 }
        && breach.Limit.Challenge?.For(grant.Process, identity) is { Demands: [var demand] }
            ? demand with
            {
                LimitId = breach.Limit.Id,
                LimitSays = breach.Explanation,
            }
            : null;

    /// <summary>
    /// The decision with what the same limits ask by now, in the same order; what no limit says any more is left out.
    /// </summary>
    /// <param name="decision">What policy decides, which has a grant where it is no denial.</param>
    /// <param name="limits">The limits there are by now.</param>
    /// <param name="earlier">What was asked.</param>
    /// <param name="identity">Who asked.</param>
    public static Decision Again(
        Decision decision,
        IReadOnlyList<PolicyLimit> limits,
        IEnumerable<ApprovalDemand> earlier,
        WorkloadIdentity identity
    ) =>
        With(
            decision,
            [
                .. earlier
                    .Select(demand =>
                        limits
                            .Where(limit => limit.Id == demand.LimitId)
                            .SelectMany(LimitBreach.Possible)
                            .FirstOrDefault(breach => breach.Explanation == demand.LimitSays)
                    )
                    .OfType<LimitBreach>()
                    .Select(breach => Of(breach, decision, identity))
                    .OfType<ApprovalDemand>(),
            ]
        );

    /// <summary>The decision as a challenge that carries these, too; unchanged where there are none.</summary>
    public static Decision With(Decision decision, IReadOnlyList<ApprovalDemand> demands) =>
        demands.Count == 0 || decision.Grant is null
            ? decision
            : decision with
            {
                Effect = PolicyEffect.Challenge,
                Refusal = PolicyRefusals.ApprovalNeeded,
                Obligations = [new Obligation.NeedsApproval([.. decision.Approval?.Demands ?? [], .. demands])],
            };
}
