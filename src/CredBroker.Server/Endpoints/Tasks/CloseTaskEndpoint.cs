using CredBroker.Client;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.Tasks;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints.Tasks;

/// <summary>
/// <c>POST /v1/tasks/{id}/close</c>: everything issued for the task is revoked and its id is never taken again. The one
/// call that an agent (for a task of its own) and an admin both make; which of the two the caller is, its token says.
/// </summary>
internal static class CloseTaskEndpoint
{
    private static readonly Refusal NoPersonsProof = new(
        RefusalCode.ProofMethodNotAccepted,
        "People are known by a bearer token alone; send one."
    );

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/tasks/{id}/close", HandleAsync)
            .WithName("closeTask")
            .WithSummary(
                "Closes a task: by the agent that opened it, or by an admin. Everything issued for it is revoked."
            )
            .Accepts<CloseTaskRequest>("application/json")
            .Produces(StatusCodes.Status204NoContent);

    private static async Task<IResult> HandleAsync(
        string id,
        HttpContext http,
        CallingAgent caller,
        PeopleVerifier people,
        PeopleActions actions,
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

        // On the agents' own listener nobody is taken for a person.
        var listener = Listener.Of(http);
        var asPerson =
            listener.ServesPeople && caller.Proof is IdentityProof.Bearer bearer
                ? await people.VerifyAsync(bearer.Token, cancellationToken)
                : null;
        if (asPerson is PersonOutcome.Verified { Person: var verified })
        {
            var person = CallingPerson.Of(http, verified);
            if (!TakenRoles.Admins.Admit(verified))
            {
                var missing = TakenRoles.Admins.Refusal;
                await actions.RecordRefusedAsync(person, missing);
                return new Refused(missing);
            }

            return Closed(
                await revocations.CloseTaskAsync(
                    task.Process,
                    id,
                    owner: null,
                    person.Actor,
                    person.Call,
                    cancellationToken
                )
            );
        }

        // On the people's own listener nobody is taken for an agent.
        if (!listener.ServesAgents)
        {
            return new Unbound((asPerson as PersonOutcome.Refused)?.Refusal ?? NoPersonsProof);
        }

        var outcome = await tasks.CloseAsync(caller.Proof, task.Process, id, caller.Call, cancellationToken);

        // A person's token that does not hold is refused for its own reason, not for being no workload's.
        return Closed(
            outcome?.Code == RefusalCode.WrongKindOfIdentity && asPerson is PersonOutcome.Refused own
                ? own.Refusal
                : outcome
        );
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
