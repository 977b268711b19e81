using System.ComponentModel;
using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;
using Microsoft.AspNetCore.Mvc;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary>Time boxes that people gave with approvals: which are open, and an end before their time.</summary>
internal static class TimeBoxEndpoints
{
    private const int UsualPage = 50;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/approvals/boxes", ListAsync)
            .WithName("listTimeBoxes")
            .WithSummary("Open time boxes, oldest first, a page at a time; an approver sees those that they may end.")
            .ForRoles(TakenRoles.TimeBoxReaders)
            .Produces<TimeBoxListResponse>();
        routes
            .MapPost("/v1/approvals/{id}/revoke-box", RevokeAsync)
            .WithName("revokeTimeBox")
            .WithSummary(
                "Ends the time box of an approval before its time, and revokes what was issued in it if asked. Needs a reason."
            )
            .ForRoles(TakenRoles.TimeBoxEnders)
            .Accepts<RevokeTimeBoxRequest>("application/json")
            .Produces<TimeBoxResponse>();
    }

    private static async Task<IResult> ListAsync(
        [FromQuery, Description("Continues a list: the answer's next.")] string? cursor,
        [FromQuery, Description("At most this many, 1 to 100; 50 if absent.")] int? limit,
        CallingPerson person,
        PeopleActions actions,
        TimeBoxes timeBoxes,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var check = new FieldCheck();
        check.Require(
            limit is null or (>= 1 and <= TimeBoxes.MaxPage),
            $"limit must lie between 1 and {TimeBoxes.MaxPage}."
        );
        if (check.Refusal is { } fault)
        {
            return new Refused(fault);
        }

        await actions.RecordAsync(person, cancellationToken);
        var found = await timeBoxes.ListAsync(person.Person, cursor, limit ?? UsualPage, cancellationToken);
        return found.Passes(out var page, out var refusal)
            ? new Reply<TimeBoxListResponse>(
                StatusCodes.Status200OK,
                new()
                {
                    TimeBoxes = [.. page.TimeBoxes.Select(timeBox => Of(timeBox, store.Position))],
                    Next = page.Next,
                },
                BrokerJson.Default.TimeBoxListResponse
            )
            : new Refused(refusal);
    }

    private static async Task<IResult> RevokeAsync(
        string id,
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        TimeBoxes timeBoxes,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.RevokeTimeBoxRequest);
        if (!read.Then(body => FieldCheck.Reasoned(body, body.Reason)).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        var taken = await timeBoxes.TakeBackAsync(
            person.Person,
            id,
            body.Reason,
            body.Leases == true,
            person.Call,
            cancellationToken
        );
        return taken.Passes(out var back, out var refusal)
            ? new Reply<TimeBoxResponse>(
                StatusCodes.Status200OK,
                Of(back.TimeBox, store.Position) with
                {
                    RevocationId = back.RevocationId,
                },
                BrokerJson.Default.TimeBoxResponse
            )
            : await actions.RefuseAsync(person, refusal);
    }

    private static TimeBoxResponse Of(TimeBox timeBox, StorePosition now)
    {
        var approval = timeBox.Approval;
        var (decision, verdict) = (approval.Decision, approval.Decision.Verdict);
        return new()
        {
            ApprovalId = approval.Id,
            State = timeBox.IsOpenAt(now) ? "open" : "ended",
            OpenedAt = timeBox.OpenedAt,
            EndsAt = timeBox.EndsAt,
            Uses = timeBox.Uses,
            MaxUses = TimeBox.MaxUses,
            Requester = LeaseResponses.Identity(decision.Identity, verdict.Agent),
            Executor = approval.Executor.Length == 0 ? null : approval.Executor,
            Process = decision.Task.Process,
            Task = decision.Task.Id,
            Credential = decision.Request.Credential,
            Actions = decision.Request.Actions,
            Ttl =
                verdict.Grant?.Ttl
                ?? throw new InvalidOperationException($"Nothing is granted by approval {approval.Id}."),
            Agreements = ApprovalResponses.Agreements(approval),
            EndedAt = timeBox.EndedAt,
            EndedBy = timeBox.EndedAt is null ? null : timeBox.EndedBy,
            Cause = timeBox.EndedAt is null ? null : timeBox.Cause,
        };
    }
}
