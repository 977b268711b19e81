using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary><c>POST /v1/approvals/approve</c> and <c>/deny</c>: what an approver says to several requests at once.</summary>
internal static class GroupEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapPost("/v1/approvals/approve", ApproveAsync)
            .WithName("approveGroup")
            .WithSummary("Agrees to several requests about the same, each by its digest: to all of them, or to none.")
            .ForRoles(TakenRoles.Approvers)
            .Accepts<ApproveGroupRequest>("application/json")
            .Produces<ApprovalGroupDecisionResponse>();
        routes
            .MapPost("/v1/approvals/deny", DenyAsync)
            .WithName("denyGroup")
            .WithSummary("Refuses several requests about the same: all of them, or none. Needs a reason.")
            .ForRoles(TakenRoles.Approvers)
            .Accepts<DenyGroupRequest>("application/json")
            .Produces<ApprovalGroupDecisionResponse>();
    }

    private static async Task<IResult> ApproveAsync(
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        GroupDecisions decisions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.ApproveGroupRequest);
        if (!read.Then(body => Check(body, body.Requests)).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        return await ReplyAsync(
            await decisions.AgreeAsync(person.Person, Seen(body.Requests), person.Call, cancellationToken),
            person,
            actions,
            store
        );
    }

    private static async Task<IResult> DenyAsync(
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        GroupDecisions decisions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.DenyGroupRequest);
        if (
            !read.Then(body => FieldCheck.Reasoned(body, body.Reason))
                .Then(body => Check(body, body.Requests))
                .Passes(out var body, out var fault)
        )
        {
            return new Refused(fault);
        }

        return await ReplyAsync(
            await decisions.DenyAsync(person.Person, Seen(body.Requests), body.Reason, person.Call, cancellationToken),
            person,
            actions,
            store
        );
    }

    // How many there are, and that none is there twice, is the decision's to say.
    private static Checked<T> Check<T>(T body, IReadOnlyList<ApprovalReference> requests)
        where T : class
    {
        var check = new FieldCheck();
        foreach (var request in requests)
        {
            // An element of a list may be null, whatever its type says.
            check.Name("requests.approvalId", request?.ApprovalId);
            check.Name("requests.digest", request?.Digest);
        }

        return check.Of(body);
    }

    private static IReadOnlyList<ApprovalSeen> Seen(IReadOnlyList<ApprovalReference> requests) =>
        [.. requests.Select(request => new ApprovalSeen(request.ApprovalId, request.Digest))];

    private static async ValueTask<IResult> ReplyAsync(
        Checked<ApprovalGroup> said,
        CallingPerson person,
        PeopleActions actions,
        IBrokerStore store
    ) =>
        said.Passes(out var group, out var refusal)
            ? new Reply<ApprovalGroupDecisionResponse>(
                StatusCodes.Status200OK,
                new([.. group.Requests.Select(approval => ApprovalResponses.Of(approval, store.Position))]),
                BrokerJson.Default.ApprovalGroupDecisionResponse
            )
            : await actions.RefuseAsync(person, refusal);
}
