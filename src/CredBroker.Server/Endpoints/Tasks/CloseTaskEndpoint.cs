using CredBroker.Client;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Identity;

namespace CredBroker.Server.Endpoints.Tasks;

/// <summary>
/// <c>POST /v1/tasks/{id}/close</c>: everything issued for the task is revoked and its id is never taken again. The one
/// call that an agent (for a task of its own) and an admin both make; which of the two the caller is, its token says.
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
            .Accepts<CloseTaskRequest>("application/json")
            .Produces(StatusCodes.Status204NoContent);

    private static async Task<IResult> HandleAsync(
        string id,
        HttpContext http,
        PeopleVerifier people,
        PeopleActions person,
        AgentLeases leases,
        RevocationOrders revocations,
        CancellationToken cancellationToken
    )
    {
        var (token, refusal) = Bearer.Read(http);
        if (token is null)
        {
            return await CallingAgent.RefuseAsync(http, refusal!);
        }

        var (body, fault) = await RequestBody.ReadAsync(http, BrokerJson.Strict.CloseTaskRequest);
        if (body is not null)
        {
            var check = new FieldCheck();
            check.Name("id", id);
            check.Name("process", body.Process);
            fault = check.Refusal;
        }

        if (fault is not null)
        {
            return await CallingAgent.RefuseAsync(http, fault);
        }

        var call = RequestOrigin.Of(http);
        var asPerson = await people.VerifyAsync(token, cancellationToken);
        if (asPerson is PersonOutcome.Verified { Person: var verified })
        {
            var (admin, refused) = await person.AdmitAsync(http, verified, PeopleActions.Admins);
            return admin is null
                ? refused!
                : Closed(
                    await revocations.CloseTaskAsync(
                        body!.Process,
                        id,
                        null,
                        PeopleActions.Actor(admin),
                        call,
                        cancellationToken
                    )
                );
        }

        var outcome = await leases.CloseTaskAsync(
            new IdentityProof.Bearer(token),
            body!.Process,
            id,
            call,
            cancellationToken
        );

        // A person's token that does not hold is refused for its own reason, not for being no workload's.
        return Closed(
            outcome?.Code == RefusalCode.WrongKindOfIdentity && asPerson is PersonOutcome.Refused own
                ? own.Refusal
                : outcome
        );
    }

    private static IResult Closed(Refusal? refusal) => refusal is null ? Results.NoContent() : new Problem(refusal);
}
