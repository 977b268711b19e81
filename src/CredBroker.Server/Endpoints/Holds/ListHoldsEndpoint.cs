using CredBroker.Client;
using CredBroker.Core.Holds;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Holds;

/// <summary><c>GET /v1/holds</c>: what is held now, by whom and why.</summary>
internal static class ListHoldsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/holds", HandleAsync)
            .WithName("listHolds")
            .WithSummary("Every hold in force, newest first.")
            .ForRoles(TakenRoles.Readers)
            .Produces<HoldListResponse>();

    private static async Task<IResult> HandleAsync(
        CallingPerson person,
        PeopleActions actions,
        HoldOrders holds,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        var inForce = await holds.ListAsync(cancellationToken);
        return new Reply<HoldListResponse>(
            StatusCodes.Status200OK,
            new() { Holds = [.. inForce.Select(hold => HoldResponses.Of(hold, holds.IsRecordMissing(hold)))] },
            BrokerJson.Default.HoldListResponse
        );
    }
}
