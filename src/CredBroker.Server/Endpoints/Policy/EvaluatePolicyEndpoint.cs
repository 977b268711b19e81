using CredBroker.Client;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>
/// <c>POST /v1/policy/evaluate</c>: what would policy say? Nothing is issued, and no lease is opened.
/// </summary>
internal static class EvaluatePolicyEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/policy/evaluate", HandleAsync)
            .WithName("evaluatePolicy")
            .WithSummary("Decides a supposed request as the exchange would, with the auditor's explanation.")
            .ForRoles(TakenRoles.Readers)
            .Accepts<EvaluateRequest>("application/json")
            .Produces<EvaluateResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.EvaluateRequest);
        if (!read.Then(Check).Passes(out var body, out var refusal))
        {
            return new Refused(refusal);
        }

        await actions.RecordAsync(person, cancellationToken);
        if (policy.Current is not { } current)
        {
            return new Refused(ReadPolicyEndpoint.NoPolicy);
        }

        var decision = current.Set.Evaluate(Identity(body.Identity), Declared.Task(body.Task), Request(body));
        return new Reply<EvaluateResponse>(
            StatusCodes.Status200OK,
            Describe(decision, current.Version),
            BrokerJson.Default.EvaluateResponse
        );
    }

    private static Checked<EvaluateRequest> Check(EvaluateRequest body)
    {
        var check = new FieldCheck();
        check.Require(body.Identity.Proof is "oidc" or "jwt-svid", "identity.proof must be \"oidc\" or \"jwt-svid\".");
        check.IdentityText("identity.issuer", body.Identity.Issuer);
        check.IdentityText("identity.subject", body.Identity.Subject);
        check.IdentityText("identity.workload", body.Identity.Workload);
        check.IdentityText("identity.instance", body.Identity.Instance);
        check.IdentityText("identity.spiffeId", body.Identity.SpiffeId);
        check.IdentityText("identity.trustDomain", body.Identity.TrustDomain);
        check.Task(body.Task);
        check.Name("credential", body.Credential);
        check.Actions(body.Actions);
        check.Text("resource", body.Resource, FieldCheck.MaxPurpose);
        check.Params(body.Params);
        check.Ttl(body.Ttl);
        check.ToolCall(body.ToolCall);
        return check.Of(body);
    }

    private static WorkloadIdentity Identity(EvaluateIdentity identity) =>
        new()
        {
            Proof = identity.Proof == "oidc" ? ProofMethod.Oidc : ProofMethod.JwtSvid,
            Issuer = identity.Issuer,
            Subject = identity.Subject,
            Workload = identity.Workload ?? identity.Subject,
            Instance = identity.Instance ?? "",
            SpiffeId = identity.SpiffeId ?? "",
            TrustDomain = identity.TrustDomain ?? "",
            Claims = identity.Claims ?? new Dictionary<string, System.Text.Json.JsonElement>(),
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "",
        };

    private static CredentialRequest Request(EvaluateRequest body) =>
        new()
        {
            Credential = body.Credential,
            Actions = body.Actions,
            Resource = body.Resource ?? "",
            Params = Declared.Params(body.Params),
            Ttl = body.Ttl,
            ToolCall = Declared.ToolCall(body.ToolCall),
        };

    private static EvaluateResponse Describe(Decision decision, long version) =>
        new()
        {
            Effect = KebabCase.Of(decision.Effect),
            PolicyVersion = version,
            PolicyHash = decision.PolicyHash,
            Code = decision.Refusal?.CodeText,
            Detail = decision.Refusal?.Detail,
            Ttl = decision.Grant?.Ttl,
            MaxTtl = decision.Grant?.MaxTtl,
            TtlCut = decision.Grant is { TtlCut: true } ? true : null,
            Agent = decision.Agent.Length == 0 ? null : decision.Agent,
            RuleId = decision.RuleId.Length == 0 ? null : decision.RuleId,
            MatchedRules = decision.MatchedRules,
            Gate = [.. decision.Gate.Select(condition => new GateConditionResponse(condition.Name, condition.Holds))],
            Limits = decision.Limits.Count == 0 ? null : [.. decision.Limits.Select(Describe)],
            Approvals = ApprovalDemands.Describe(decision),
            Shadow = decision
                .Shadow?.Select(shadow => new ShadowRuleResponse(
                    shadow.RuleId,
                    KebabCase.Of(shadow.Effect),
                    shadow.Explanation
                ))
                .ToList(),
            Explanation = decision.Explanation.Length == 0 ? null : decision.Explanation,
        };

    private static LimitResponse Describe(PolicyLimit limit) =>
        new()
        {
            Id = limit.Id,
            Per = KebabCase.Of(limit.Per),
            MaxActive = limit.MaxActive,
            MaxIssued = Describe(limit.MaxIssued),
            MaxDenied = Describe(limit.MaxDenied),
            QuarantineFor = limit.QuarantineFor,
            Challenges = limit.Challenges ? true : null,
        };

    private static LimitRateResponse? Describe(LimitRate? rate) =>
        rate is null ? null : new() { Count = rate.Count, Per = rate.Per };
}
