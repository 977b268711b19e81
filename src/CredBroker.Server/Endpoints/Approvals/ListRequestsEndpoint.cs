using System.ComponentModel;
using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using Microsoft.AspNetCore.Mvc;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary>
/// <c>GET /v1/requests</c>: what people have approved and left to the calling executor, with what they saw and the body
/// that redeems it.
/// </summary>
internal static class ListRequestsEndpoint
{
    private const int UsualPage = 20;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/requests", HandleAsync)
            .WithName("listRequests")
            .WithSummary("The approved requests that the caller alone may redeem, a page at a time. Never a secret.")
            .Produces<ExecutorRequestListResponse>();

    private static async Task<IResult> HandleAsync(
        [FromQuery, Description("Continues a list: the answer's next.")] string? cursor,
        [FromQuery, Description("At most this many, 1 to 50; 20 if absent.")] int? limit,
        HttpContext http,
        ExecutorRequests requests,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var check = new FieldCheck();
        check.Require(
            limit is null or (>= 1 and <= ExecutorRequests.MaxPage),
            $"limit must lie between 1 and {ExecutorRequests.MaxPage}."
        );
        if (check.Refusal is { } fault)
        {
            return new Refused(fault);
        }

        var agent = CallingAgent.Of(http);
        var found = await requests.ListAsync(agent.Proof, cursor, limit ?? UsualPage, agent.Call, cancellationToken);
        return found.Passes(out var page, out var refusal)
            ? new Reply<ExecutorRequestListResponse>(
                StatusCodes.Status200OK,
                new()
                {
                    Requests = [.. page.Approvals.Select(approval => Of(approval, store.Position))],
                    Next = page.Next,
                },
                BrokerJson.Default.ExecutorRequestListResponse
            )
            : new Refused(refusal);
    }

    private static ExecutorRequestResponse Of(Approval approval, StorePosition now)
    {
        var (task, request) = (approval.Decision.Task, approval.Decision.Request);
        return new()
        {
            Approval = ApprovalResponses.Of(approval, now),
            Body = new()
            {
                Task = new()
                {
                    Id = task.Id,
                    Process = task.Process,
                    Purpose = task.Purpose,
                },
                Credential = request.Credential,
                Actions = request.Actions,
                Resource = request.Resource.Length == 0 ? null : request.Resource,
                Params = request.Params,
                Ttl = request.Ttl,
                Delivery = request.Delivery,
                ToolCall = request.ToolCall is { } call ? new() { Name = call.Name, Arguments = call.Arguments } : null,
                ApprovalId = approval.Id,
            },
        };
    }
}
