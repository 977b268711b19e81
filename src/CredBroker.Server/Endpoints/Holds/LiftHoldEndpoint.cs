using CredBroker.Client;
using CredBroker.Core.Holds;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Holds;

/// <summary><c>POST /v1/holds/{id}/lift</c>: ends a hold before its time, for a reason that is kept.</summary>
internal static class LiftHoldEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/holds/{id}/lift", HandleAsync)
            .WithName("liftHold")
            .WithSummary("Lifts a hold: what it refused may be issued again. Needs a reason.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<LiftHoldRequest>("application/json")
            .Produces<HoldResponse>();

    private static async Task<IResult> HandleAsync(
        string id,
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        HoldOrders holds,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.LiftHoldRequest);
        if (!read.Then(body => FieldCheck.Reasoned(body, body.Reason)).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        var lifted = await holds.LiftAsync(id, body.Reason, admin.Actor, admin.Call, cancellationToken);
        return lifted.Passes(out var hold, out var over)
            ? HoldResponses.Reply(hold, StatusCodes.Status200OK)
            : await actions.RefuseAsync(admin, over);
    }
}
