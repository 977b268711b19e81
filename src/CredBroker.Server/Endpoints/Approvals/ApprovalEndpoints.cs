using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary><c>/v1/approvals</c>: what an approver may decide, and what they say to it.</summary>
internal static class ApprovalEndpoints
{
    private static readonly Refusal GroupedInvalid = new(RefusalCode.FieldInvalid, "grouped must be true or false.");

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/approvals", ListAsync)
            .WithName("listApprovals")
            .WithSummary("The open requests that the caller may decide, oldest first; with grouped=true, in groups.")
            .ForRoles(TakenRoles.Approvers)
            .Produces<ApprovalListResponse>();
        routes
            .MapGet("/v1/approvals/{id}", FindAsync)
            .WithName("findApproval")
            .WithSummary("One request that the caller may decide, or might have.")
            .ForRoles(TakenRoles.Approvers)
            .Produces<ApprovalResponse>();
        routes
            .MapPost("/v1/approvals/{id}/approve", ApproveAsync)
            .WithName("approveRequest")
            .WithSummary("Agrees to what has this digest. It is approved once everybody has who has to.")
            .ForRoles(TakenRoles.Approvers)
            .Accepts<ApproveRequest>("application/json")
            .Produces<ApprovalResponse>();
        routes
            .MapPost("/v1/approvals/{id}/deny", DenyAsync)
            .WithName("denyRequest")
            .WithSummary("Refuses a request that was not redeemed yet. Needs a reason, which the agent may read.")
            .ForRoles(TakenRoles.Approvers)
            .Accepts<DenyApprovalRequest>("application/json")
            .Produces<ApprovalResponse>();
    }

    private static async Task<IResult> ListAsync(
        string? grouped,
        CallingPerson person,
        PeopleActions actions,
        ApprovalDecisions decisions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        if (grouped is not (null or "true" or "false"))
        {
            return new Refused(GroupedInvalid);
        }

        await actions.RecordAsync(person, cancellationToken);
        var open = await decisions.ListAsync(person.Person, cancellationToken);
        var pace = await store.Approvals.FindPaceAsync(person.Person.Issuer, person.Person.Subject, cancellationToken);
        var (groups, alone) = grouped == "true" ? GroupDecisions.Group(open, person.Person) : (null, open);
        return new Reply<ApprovalListResponse>(
            StatusCodes.Status200OK,
            new()
            {
                Approvals = [.. alone.Select(approval => ApprovalResponses.Of(approval, store.Position))],
                Groups = groups?.Select(group => ApprovalGroups.Of(group, store.Position)).ToList(),
                You = new()
                {
                    Waiting = open.Count,
                    Decisions = pace.Decisions,
                    MedianSeconds = pace.Median?.TotalSeconds,
                    Hurried = pace.IsHurried,
                },
            },
            BrokerJson.Default.ApprovalListResponse
        );
    }

    private static async Task<IResult> FindAsync(
        string id,
        CallingPerson person,
        PeopleActions actions,
        ApprovalDecisions decisions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        var found = await decisions.FindAsync(person.Person, id, cancellationToken);
        if (!found.Passes(out var approval, out var refusal))
        {
            return await actions.RefuseAsync(person, refusal);
        }

        if (approval.StateAt(store.Position) is not (ApprovalState.Pending or ApprovalState.Approved))
        {
            // Of one that is over nobody has to judge what the instance does now.
            return new Reply<ApprovalResponse>(
                StatusCodes.Status200OK,
                ApprovalResponses.Of(approval, store.Position),
                BrokerJson.Default.ApprovalResponse
            );
        }

        var (since, activity) = await store.Approvals.ListActivityAsync(approval.Decision.Identity, cancellationToken);
        return new Reply<ApprovalResponse>(
            StatusCodes.Status200OK,
            ApprovalResponses.Of(approval, store.Position) with
            {
                Activity = new()
                {
                    Since = since,
                    Credentials =
                    [
                        .. activity.Select(had => new CredentialActivityResponse
                        {
                            Credential = had.Credential.Length == 0 ? null : had.Credential,
                            Issued = had.Issued,
                            Denied = had.Denied,
                            Challenged = had.Challenged,
                        }),
                    ],
                },
            },
            BrokerJson.Default.ApprovalResponse
        );
    }

    private static async Task<IResult> ApproveAsync(
        string id,
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        ApprovalDecisions decisions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.ApproveRequest);
        if (!read.Then(Check).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        var said = await decisions.AgreeAsync(
            person.Person,
            id,
            body.Digest,
            body.TimeBox,
            person.Call,
            cancellationToken
        );
        return await ReplyAsync(said, person, actions, store);

        static Checked<ApproveRequest> Check(ApproveRequest body)
        {
            var check = new FieldCheck();
            check.Name("digest", body.Digest);
            check.Require(
                body.TimeBox is null || body.TimeBox >= TimeSpan.FromSeconds(1),
                "timeBox must be at least one second."
            );
            return check.Of(body);
        }
    }

    private static async Task<IResult> DenyAsync(
        string id,
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        ApprovalDecisions decisions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.DenyApprovalRequest);
        if (!read.Then(body => FieldCheck.Reasoned(body, body.Reason)).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        var said = await decisions.DenyAsync(person.Person, id, body.Reason, person.Call, cancellationToken);
        return await ReplyAsync(said, person, actions, store);
    }

    private static async ValueTask<IResult> ReplyAsync(
        Checked<Approval> said,
        CallingPerson person,
        PeopleActions actions,
        IBrokerStore store
    ) =>
        said.Passes(out var approval, out var refusal)
            ? new Reply<ApprovalResponse>(
                StatusCodes.Status200OK,
                ApprovalResponses.Of(approval, store.Position),
                BrokerJson.Default.ApprovalResponse
            )
            : await actions.RefuseAsync(person, refusal);
}
