using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary><c>DELETE /v1/credentials/{leaseId}</c>: the agent gives its secret back.</summary>
internal static class ReleaseEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/v1/credentials/{leaseId}", HandleAsync)
            .WithName("releaseCredential")
            .WithSummary(
                "Gives a secret back: 204 once that is confirmed, 202 while it takes longer, 200 where something may still be accepted."
            )
            .Produces(StatusCodes.Status204NoContent)
            .Produces<ReleaseResponse>()
            .Produces<ReleaseResponse>(StatusCodes.Status202Accepted);

    private static async Task<IResult> HandleAsync(
        string leaseId,
        HttpContext http,
        AgentLeases leases,
        CancellationToken cancellationToken
    )
    {
        var agent = CallingAgent.Of(http);
        return CredentialReplies.Of(
            await leases.ReleaseAsync(agent.Proof, leaseId, agent.Call, cancellationToken),
            Released
        );
    }

    private static IResult Released(Lease lease)
    {
        var isOver = lease.State is LeaseState.Revoked or LeaseState.Ended;
        var left = StillValid.Of(lease);
        if (isOver && left is null)
        {
            return Results.NoContent();
        }

        return new Reply<ReleaseResponse>(
            isOver ? StatusCodes.Status200OK : StatusCodes.Status202Accepted,
            new()
            {
                State = LeaseResponses.State(lease.State),
                StillValid = left is null ? null : [LeaseResponses.Remainder(left)],
            },
            BrokerJson.Default.ReleaseResponse
        );
    }
}
