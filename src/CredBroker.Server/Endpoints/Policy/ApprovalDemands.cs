using CredBroker.Client;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>Who is asked, as it is said over the wire.</summary>
internal static class ApprovalDemands
{
    /// <summary>What a challenge asks; empty where the decision is none.</summary>
    public static IReadOnlyList<ApprovalDemandResponse> Describe(Decision decision) =>
        decision is { Effect: PolicyEffect.Challenge, Approval: { } approval }
            ? [.. approval.Demands.Select(Describe)]
            : [];

    /// <summary>What a question asks, and when it asks more people.</summary>
    public static IReadOnlyList<ApprovalDemandResponse> Describe(Approval approval) =>
        [
            .. Describe(approval.Decision.Verdict)
                .Select(
                    (demand, place) =>
                        demand.Escalation is { } later
                            ? demand with
                            {
                                Escalation = later with { At = approval.EscalatesAt(place) },
                            }
                            : demand
                ),
        ];

    public static ApprovalDemandResponse Describe(ApprovalDemand demand) =>
        new()
        {
            RuleId = demand.RuleId.Length == 0 ? null : demand.RuleId,
            LimitId = demand.LimitId,
            LimitSays = demand.LimitSays,
            Approvers = [.. demand.Approvers.Select(Describe)],
            NotBy = [.. demand.NotBy.Select(Describe)],
            Quorum = demand.Quorum,
            Escalation = demand.Escalation is { } later
                ? new() { After = later.After, To = [.. later.To.Select(Describe)] }
                : null,
            ExpiresAfter = demand.ExpiresAfter,
            TimeBox = demand.TimeBox,
            Executor = demand.Executor.Length == 0 ? null : demand.Executor,
        };

    private static ApproverResponse Describe(Approver approver) =>
        approver switch
        {
            Approver.Role role => new() { By = "role", Name = role.Name },
            Approver.Group group => new() { By = "group", Name = group.Name },
            Approver.Person person => new()
            {
                By = "person",
                Issuer = person.Issuer,
                Subject = person.Subject,
            },
            _ => throw new NotSupportedException(approver.GetType().Name),
        };
}
