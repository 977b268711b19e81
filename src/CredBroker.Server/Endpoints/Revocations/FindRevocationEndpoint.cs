using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Revocations;

/// <summary><c>GET /v1/revocations/{id}</c>: how far an order is, lease by lease, and what nobody can revoke.</summary>
internal static class FindRevocationEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/revocations/{id}", HandleAsync)
            .WithName("findRevocation")
            .WithSummary("Progress and confirmation of a revocation per lease, and what may still be accepted.")
            .ForRoles(TakenRoles.Readers)
            .Produces<RevocationResponse>();

    private static async Task<IResult> HandleAsync(
        string id,
        CallingPerson person,
        PeopleActions actions,
        RevocationOrders revocations,
        CancellationToken cancellationToken
    )
    {
        // While the store takes nothing, an order that it did not take is shown without that being on record.
        if (!revocations.IsRecordMissing(id))
        {
            await actions.RecordAsync(person, cancellationToken);
        }

        return await revocations.FindAsync(id, cancellationToken) is { } progress
            ? new Reply<RevocationResponse>(
                StatusCodes.Status200OK,
                RevocationResponses.Progress(progress),
                BrokerJson.Default.RevocationResponse
            )
            : new Refused(new(RefusalCode.RevocationNotFound, "There is no revocation with this id."));
    }
}
