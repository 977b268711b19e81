using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>
/// Decides a supposed request under a document on disk, and answers as the broker's <c>/v1/policy/evaluate</c> does.
/// </summary>
internal static class OfflineEvaluation
{
    public static EvaluateResponse Evaluate(PolicySet policy, EvaluateRequest request) =>
        Describe(
            policy.Evaluate(
                Identity(request.Identity),
                new(request.Task.Id, request.Task.Process, request.Task.Purpose),
                new()
                {
                    Credential = request.Credential,
                    Actions = request.Actions,
                    Resource = request.Resource ?? "",
                    Params = request.Params is { Count: > 0 } given ? given : null,
                    Ttl = request.Ttl,
                    ToolCall = request.ToolCall is { } call ? new ToolCall(call.Name, call.Arguments) : null,
                }
            )
        );

    /// <summary>A decision as the API says it.</summary>
    public static EvaluateResponse Describe(Decision decision) =>
        new()
        {
            Effect = KebabCase(decision.Effect),
            PolicyVersion = 0,
            PolicyHash = decision.PolicyHash,
            Code = decision.Refusal?.CodeText,
            Detail = decision.Refusal?.Detail,
            Ttl = decision.Grant?.Ttl,
            MaxTtl = decision.Grant?.MaxTtl,
            TtlCut = decision.Grant?.TtlCut == true ? true : null,
            Agent = NullIfEmpty(decision.Agent),
            RuleId = NullIfEmpty(decision.RuleId),
            MatchedRules = decision.MatchedRules,
            Gate = [.. decision.Gate.Select(condition => new GateConditionResponse(condition.Name, condition.Holds))],
            Limits = decision.Limits.Count == 0 ? null : [.. decision.Limits.Select(Describe)],
            Approvals = decision is { Effect: PolicyEffect.Challenge, Approval: { } approval }
                ? [.. approval.Demands.Select(Describe)]
                : [],
            Shadow = decision
                .Shadow?.Select(shadow => new ShadowRuleResponse(
                    shadow.RuleId,
                    KebabCase(shadow.Effect),
                    shadow.Explanation
                ))
                .ToList(),
            Explanation = NullIfEmpty(decision.Explanation),
        };

    private static ApprovalDemandResponse Describe(ApprovalDemand demand) =>
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
            TimeBox = demand.TimeBox,
            ExpiresAfter = demand.ExpiresAfter,
            Executor = demand.Executor.Length == 0 ? null : demand.Executor,
        };

    /// <summary>Who may approve, as the API says it.</summary>
    public static ApproverResponse Describe(Approver approver) =>
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

    private static WorkloadIdentity Identity(EvaluateIdentity identity) =>
        new()
        {
            Proof = identity.Proof switch
            {
                "oidc" => ProofMethod.Oidc,
                "jwt-svid" => ProofMethod.JwtSvid,
                _ => throw CliException.Usage(
                    $"identity.proof is \"{identity.Proof}\".",
                    "Write \"oidc\" or \"jwt-svid\"."
                ),
            },
            Issuer = identity.Issuer,
            Subject = identity.Subject,
            Workload = identity.Workload ?? identity.Subject,
            Instance = identity.Instance ?? "",
            SpiffeId = identity.SpiffeId ?? "",
            TrustDomain = identity.TrustDomain ?? "",
            Claims = identity.Claims ?? new Dictionary<string, JsonElement>(),
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "",
        };

    private static string KebabCase(PolicyEffect effect) =>
        JsonNamingPolicy.KebabCaseLower.ConvertName(effect.ToString());

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static LimitResponse Describe(PolicyLimit limit) =>
        new()
        {
            Id = limit.Id,
            Per = JsonNamingPolicy.KebabCaseLower.ConvertName(limit.Per.ToString()),
            MaxActive = limit.MaxActive,
            MaxIssued = Describe(limit.MaxIssued),
            MaxDenied = Describe(limit.MaxDenied),
            QuarantineFor = limit.QuarantineFor,
            Challenges = limit.Challenges ? true : null,
        };

    private static LimitRateResponse? Describe(LimitRate? rate) =>
        rate is null ? null : new() { Count = rate.Count, Per = rate.Per };
}
