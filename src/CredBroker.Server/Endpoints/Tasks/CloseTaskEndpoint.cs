using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.Tasks;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Tasks;

/// <summary>
/// <c>POST /v1/tasks/{id}/close</c>: everything issued for the task is revoked and its id is never taken again. The one
/// call that an agent (for a task of its own) and an admin both make; which of the two the caller is, its token says. On
/// the agents' own listener nobody is taken for a person, on the people's nobody for an agent.
/// </summary>
internal static class CloseTaskEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/tasks/{id}/close", HandleAsync)
            .WithName("closeTask")
            .WithSummary(
                "Closes a task: by the agent that opened it, or by an admin. Everything issued for it is revoked."
            )
            .ForRoles(TakenRoles.Admins)
            .InTimeByEitherClock()
            .Accepts<CloseTaskRequest>("application/json")
            .Produces(StatusCodes.Status204NoContent);

    private static async Task<IResult> HandleAsync(
        string id,
        HttpContext http,
        AgentTasks tasks,
        RevocationOrders revocations,
        CancellationToken cancellationToken
    )
    {
        var body = await RequestBody.ReadAsync(http, BrokerJson.Strict.CloseTaskRequest);
        if (!body.Then(request => Check(id, request)).Passes(out var task, out var fault))
        {
            return new Unbound(fault);
        }

        if (http.Features.Get<CallingPerson>() is { } admin)
        {
            return Closed(
                await revocations.CloseTaskAsync(
                    task.Process,
                    id,
                    owner: null,
                    admin.Actor,
                    admin.Call,
                    cancellationToken
                )
            );
        }

        var agent = CallingAgent.Of(http);
        return Closed(await tasks.CloseAsync(agent.Proof, task.Process, id, agent.Call, cancellationToken));
    }

    private static Checked<CloseTaskRequest> Check(string id, CloseTaskRequest body)
    {
        var check = new FieldCheck();
        check.Name("id", id);
        check.Name("process", body.Process);
        return check.Of(body);
    }

    private static IResult Closed(Refusal? refusal) => refusal is null ? Results.NoContent() : new Refused(refusal);
}
