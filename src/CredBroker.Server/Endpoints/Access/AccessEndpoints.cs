using System.Text.Json.Serialization.Metadata;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Policy;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>
/// The OpenID AuthZEN Authorization API 1.0: what policy says to a question. An agent asks for itself, by its verified
/// identity; a person with a reader's role asks what if, for anybody. The answer grants nothing.
/// </summary>
internal static class AccessEndpoints
{
    private const int MaxEvaluations = 100;
    private const string Json = "application/json";

    // Another type is refused by the handler: routing would answer 415, and the specification wants 400.
    private const string AnyType = "*/*";

    private const string ExecuteAll = "execute_all";
    private const string DenyOnFirstDeny = "deny_on_first_deny";
    private const string PermitOnFirstPermit = "permit_on_first_permit";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapPost("/access/v1/evaluation", EvaluateAsync)
            .WithName("accessEvaluation")
            .WithSummary("Whether policy allows it (OpenID AuthZEN). The answer grants nothing.")
            .ForRoles(TakenRoles.Readers)
            .Accepts<AccessQuestion>(Json, AnyType)
            .Produces<AccessDecision>();
        routes
            .MapPost("/access/v1/evaluations", EvaluateAllAsync)
            .WithName("accessEvaluations")
            .WithSummary("Whether policy allows each of several (OpenID AuthZEN). The answer grants nothing.")
            .ForRoles(TakenRoles.Readers)
            .Accepts<AccessQuestions>(Json, AnyType)
            .Produces<AccessDecisions>();
    }

    /// <summary>The discovery document, for anybody.</summary>
    public static void MapConfiguration(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/.well-known/authzen-configuration", Describe)
            .WithName("accessConfiguration")
            .WithSummary("Where this policy decision point answers (OpenID AuthZEN).")
            .Produces<AccessConfiguration>();

    private static IResult Describe(HttpContext http)
    {
        // Nothing is remembered of it, and nothing cached: whoever writes another name there tells themselves.
        var address = $"{http.Request.Scheme}://{http.Request.Host.ToUriComponent()}";
        return Uri.TryCreate(address, UriKind.Absolute, out _)
            ? new Reply<AccessConfiguration>(
                StatusCodes.Status200OK,
                new()
                {
                    PolicyDecisionPoint = address,
                    AccessEvaluationEndpoint = $"{address}/access/v1/evaluation",
                    AccessEvaluationsEndpoint = $"{address}/access/v1/evaluations",
                    AccessRequestEndpoint = $"{address}{AccessRequestEndpoints.Path}",
                    Capabilities = ["urn:openid:authzen:capability:access-request"],
                },
                AccessJson.Default.AccessConfiguration
            )
            : new Refused(new(RefusalCode.FieldInvalid, "The Host header is no host."));
    }

    private static async Task<IResult> EvaluateAsync(
        HttpContext http,
        PeopleActions actions,
        CallerVerification agents,
        PolicyControl policy,
        AccessApprovals approvals,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, AccessJson.Default.AccessQuestion);
        if (!read.Then(Complete).Passes(out var question, out var fault))
        {
            return new Refused(fault);
        }

        var asker = await AskerAsync(http, actions, agents, policy, cancellationToken);
        if (asker.Refusal is { } refusal)
        {
            return new Refused(refusal);
        }

        if (asker.Agent is null)
        {
            return One(asker, question);
        }

        return asker.Decider!.Judge(question).Passes(out var judged, out var notAsked)
            ? Answer(
                http,
                await approvals.AnswerAsync(question, judged, asker.Policy!, cancellationToken),
                AccessJson.Default.AccessDecision
            )
            : new Refused(notAsked);
    }

    private static async Task<IResult> EvaluateAllAsync(
        HttpContext http,
        PeopleActions actions,
        CallerVerification agents,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, AccessJson.Default.AccessQuestions);
        if (!read.Then(Check).Passes(out var questions, out var fault))
        {
            return new Refused(fault);
        }

        var asker = await AskerAsync(http, actions, agents, policy, cancellationToken);
        if (asker.Refusal is { } refusal)
        {
            return new Refused(refusal);
        }

        // Without a list it is one question, and answered as one.
        return questions.Evaluations is { Count: > 0 } list
            ? Answer(http, new([.. Decide(asker, questions, list)]), AccessJson.Default.AccessDecisions)
            : One(asker, questions);
    }

    private static IResult One(Asker asker, AccessQuestion question) =>
        asker.Decider!.Decide(question).Passes(out var decision, out var refusal)
            ? Answer(asker.Http, decision, AccessJson.Default.AccessDecision)
            : new Refused(refusal);

    private static IEnumerable<AccessDecision> Decide(
        Asker asker,
        AccessQuestions questions,
        IReadOnlyList<AccessQuestion> list
    )
    {
        var semantic = questions.Options?.EvaluationsSemantic;
        foreach (var item in list)
        {
            asker.Http.RequestAborted.ThrowIfCancellationRequested();
            var question = new AccessQuestion
            {
                Subject = item.Subject ?? questions.Subject,
                Action = item.Action ?? questions.Action,
                Resource = item.Resource ?? questions.Resource,
                Context = item.Context ?? questions.Context,
            };
            var decision = Decide(asker, question);
            yield return decision;
            if (semantic == (decision.Decision ? PermitOnFirstPermit : DenyOnFirstDeny))
            {
                yield break;
            }
        }
    }

    private static AccessDecision Decide(Asker asker, AccessQuestion question)
    {
        if (AccessMapping.FaultOf(question) is { } incomplete)
        {
            return AccessMapping.Denied(incomplete);
        }

        return asker.Decider!.Decide(question).Passes(out var decision, out var refusal)
            ? decision
            : AccessMapping.Denied(refusal);
    }

    private static Checked<AccessQuestion> Complete(AccessQuestion question) =>
        AccessMapping.FaultOf(question) is { } fault ? fault : question;

    private static Checked<AccessQuestions> Check(AccessQuestions questions)
    {
        var check = new FieldCheck();
        check.Require(
            questions.Evaluations is null or { Count: <= MaxEvaluations },
            $"evaluations must hold at most {MaxEvaluations} questions."
        );
        check.Require(
            questions.Evaluations?.All(item => item is not null) ?? true,
            "evaluations must hold objects alone."
        );
        check.Require(
            questions.Options?.EvaluationsSemantic is null or ExecuteAll or DenyOnFirstDeny or PermitOnFirstPermit,
            $"options.evaluations_semantic must be {ExecuteAll}, {DenyOnFirstDeny} or {PermitOnFirstPermit}."
        );
        var fault =
            check.Refusal
            ?? (
                questions.Evaluations is { Count: > 0 }
                    ? AccessMapping.FaultOfDefaults(questions)
                    : AccessMapping.FaultOf(questions)
            );
        return fault is null ? questions : fault;
    }

    /// <summary>Who asks, and of which policy. That a person does is on record before anything is answered.</summary>
    private static async ValueTask<Asker> AskerAsync(
        HttpContext http,
        PeopleActions actions,
        CallerVerification agents,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        WorkloadIdentity? identity = null;
        if (http.Features.Get<CallingPerson>() is { } person)
        {
            await actions.RecordAsync(person, cancellationToken);
        }
        else
        {
            var agent = CallingAgent.Of(http);
            switch (await agents.VerifyAsync(agent.Proof, agent.Call, cancellationToken))
            {
                case VerificationOutcome.Verified verified:
                    identity = verified.Identity;
                    break;
                case VerificationOutcome.Refused refused:
                    return new(http, null, null, null, refused.Refusal);
                case var other:
                    throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}.");
            }
        }

        return policy.Current is { } active
            ? new(http, identity, active, new(active.Set, identity), null)
            : new(http, identity, null, null, ReadPolicyEndpoint.NoPolicy);
    }

    private static Reply<T> Answer<T>(HttpContext http, T body, JsonTypeInfo<T> type)
    {
        AccessErrors.Identify(http);
        return new(StatusCodes.Status200OK, body, type);
    }

    private sealed record Asker(
        HttpContext Http,
        WorkloadIdentity? Agent,
        ActivePolicy? Policy,
        AccessDecider? Decider,
        Refusal? Refusal
    );
}
