using CredBroker.Client;
using CredBroker.Core.Holds;
using CredBroker.Core.Revocations;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Endpoints.Revocations;

namespace CredBroker.Server.Endpoints.Holds;

/// <summary><c>POST /v1/holds</c>: refuses new issuance and renewal of what a selector reaches.</summary>
internal static class PlaceHoldEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/holds", HandleAsync)
            .WithName("placeHold")
            .WithSummary(
                "Refuses new issuance and renewal of what a selector reaches, for a time or until it is lifted."
            )
            .ForRoles(TakenRoles.Admins)
            .InTimeByEitherClock()
            .Accepts<HoldRequest>("application/json")
            .Produces<HoldResponse>(StatusCodes.Status201Created);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson admin,
        SelectorCheck check,
        PeopleActions actions,
        HoldOrders holds,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.HoldRequest);
        if (!read.Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        if (!Selectors.Bind(body).Passes(out var selector, out var refusal))
        {
            return new Refused(refusal);
        }

        if (body.AllowNone != true && await check.ForHoldAsync(selector, cancellationToken) is { } unknown)
        {
            return await actions.RefuseAsync(admin, unknown);
        }

        var (reason, actor, call) = (body.Reason ?? "", admin.Actor, admin.Call);
        var placed = await holds.PlaceAsync(selector, body.For, reason, actor, call, cancellationToken);
        return placed.Passes(out var hold, out var tooMany)
            ? HoldResponses.Reply(hold, StatusCodes.Status201Created, holds.IsRecordMissing(hold))
            : await actions.RefuseAsync(admin, tooMany);
    }
}
