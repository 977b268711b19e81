using System.ComponentModel;
using CredBroker.Client;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using Microsoft.AspNetCore.Mvc;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>
/// <c>PUT /v1/policy</c> and <c>POST /v1/policy/rollback</c>: a new version by a person's hand. Both name the version that
/// the person has seen in force (<c>If-Match</c>), so that nobody undoes what they have not seen.
/// </summary>
internal static class EditPolicyEndpoints
{
    private const string OntoText = "The ETag of the version in force that this is made upon.";
    private const string OntoNoneText = "*, instead, where there is no version yet.";

    private static readonly Refusal BaseMissing = new(
        RefusalCode.PolicyBaseMissing,
        "Say which version this is made upon: If-Match with the ETag that GET /v1/policy gave, and nothing else; "
            + "or If-None-Match: * where it said that there is none."
    );

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapPut("/v1/policy", ApplyAsync)
            .WithName("applyPolicy")
            .WithSummary("Makes a document the next version of the policy; If-Match names the version it is made upon.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<ApplyPolicyRequest>("application/json")
            .Produces<PolicyResponse>()
            .RefusesEdits();
        routes
            .MapPost("/v1/policy/rollback", RollBackAsync)
            .WithName("rollBackPolicy")
            .WithSummary("Makes what an earlier version said the next version, whatever the policy comes from.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<RollbackPolicyRequest>("application/json")
            .Produces<PolicyResponse>()
            .RefusesEdits();
    }

    private static async Task<IResult> ApplyAsync(
        [FromHeader(Name = "If-Match"), Description(OntoText)] string? ifMatch,
        [FromHeader(Name = "If-None-Match"), Description(OntoNoneText)] string? ifNoneMatch,
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.ApplyPolicyRequest);
        if (!read.Then(Check).Passes(out var body, out var refusal))
        {
            return new Refused(refusal);
        }

        return await EditAsync(
            http,
            (ifMatch, ifNoneMatch),
            person,
            actions,
            policy,
            onto => new PolicyEdit.Apply
            {
                Document = new()
                {
                    Name = "policy.yaml",
                    Text = body.Text,
                    Schemas = body.Schemas ?? new Dictionary<string, string>(),
                },
                Author = person.Actor,
                Onto = onto,
                TraceId = person.Call.TraceId,
            },
            cancellationToken
        );
    }

    private static async Task<IResult> RollBackAsync(
        [FromHeader(Name = "If-Match"), Description(OntoText)] string? ifMatch,
        [FromHeader(Name = "If-None-Match"), Description(OntoNoneText)] string? ifNoneMatch,
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.RollbackPolicyRequest);
        if (!read.Then(body => FieldCheck.Reasoned(body, body.Reason)).Passes(out var body, out var refusal))
        {
            return new Refused(refusal);
        }

        return await EditAsync(
            http,
            (ifMatch, ifNoneMatch),
            person,
            actions,
            policy,
            onto => new PolicyEdit.Rollback
            {
                Version = body.Version,
                Reason = body.Reason,
                Author = person.Actor,
                Onto = onto,
                TraceId = person.Call.TraceId,
            },
            cancellationToken
        );
    }

    private static async Task<IResult> EditAsync(
        HttpContext http,
        (string? Match, string? NoneMatch) seen,
        CallingPerson person,
        PeopleActions actions,
        PolicyControl policy,
        Func<string?, PolicyEdit> edit,
        CancellationToken cancellationToken
    )
    {
        if (!TryReadBase(seen.Match, seen.NoneMatch, out var onto))
        {
            return await actions.RefuseAsync(person, BaseMissing);
        }

        switch (await policy.EditAsync(edit(onto), cancellationToken))
        {
            case PolicyEditOutcome.InForce { Active: var active }:
                return PolicyResponses.Reply(http, policy, active);
            case PolicyEditOutcome.Faulty faulty:
                await actions.RecordRefusedAsync(person, faulty.Refusal);
                return new FaultyDocument(faulty);
            case PolicyEditOutcome.Refused { Refusal: var refusal }:
                return await actions.RefuseAsync(person, refusal);
            case var other:
                throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}.");
        }
    }

    /// <summary>The hash that the caller has seen; null where they have seen that there is no version.</summary>
    private static bool TryReadBase(string? match, string? noneMatch, out string? onto)
    {
        onto = null;
        if (match is null)
        {
            return noneMatch?.Trim() == "*";
        }

        // One strong tag: any version (*), or one of several, would not be one that somebody has looked at.
        if (
            noneMatch is not null
            || match.Trim() is not ['"', .. { Length: > 0 and <= 128 } hash, '"']
            || hash.Contains('"', StringComparison.Ordinal)
        )
        {
            return false;
        }

        onto = hash;
        return true;
    }

    private static Checked<ApplyPolicyRequest> Check(ApplyPolicyRequest body)
    {
        var check = new FieldCheck();
        PolicyTexts.Check(check, body.Schemas);
        return check.Of(body);
    }

    private static void RefusesEdits(this RouteHandlerBuilder endpoint) =>
        endpoint
            .Produces<ProblemResponse>(StatusCodes.Status412PreconditionFailed, Problem.MediaType)
            .Produces<ProblemResponse>(StatusCodes.Status422UnprocessableEntity, Problem.MediaType)
            .Produces<ProblemResponse>(StatusCodes.Status428PreconditionRequired, Problem.MediaType);

    /// <summary>The problem that lists every fault of a document.</summary>
    private sealed class FaultyDocument(PolicyEditOutcome.Faulty faulty) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) =>
            Problem.WriteAsync(
                httpContext,
                faulty.Refusal,
                decisionId: null,
                [.. faulty.Faults.Select(fault => fault.ToString())]
            );
    }
}
