using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Agents;

/// <summary><c>DELETE /v1/credentials/{leaseId}</c>: the agent gives its secret back.</summary>
internal static class ReleaseEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/v1/credentials/{leaseId}", HandleAsync)
            .WithName("releaseCredential")
            .WithSummary(
                "Gives a secret back: 204 once that is confirmed, "
                    + "202 while it takes longer, 200 where something may still be accepted."
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
        var (proof, refusal) = AgentCall.Proof(http);
        return proof is null
            ? await AgentCall.RefuseAsync(http, refusal!)
            : AgentCall.Reply(
                await leases.ReleaseAsync(proof, leaseId, Calls.Context(http), cancellationToken),
                Released
            );
    }

    private static IResult Released(Lease lease)
    {
        var stillValid = StillValid.Of(lease) is { } left ? new[] { LeaseResponses.StillValid(left) } : null;
        var body = new ReleaseResponse { State = LeaseResponses.State(lease.State), StillValid = stillValid };
        if (lease.State is not (LeaseState.Revoked or LeaseState.Ended))
        {
            return new Reply<ReleaseResponse>(StatusCodes.Status202Accepted, body, BrokerJson.Default.ReleaseResponse);
        }

        return stillValid is null
            ? Results.NoContent()
            : new Reply<ReleaseResponse>(StatusCodes.Status200OK, body, BrokerJson.Default.ReleaseResponse);
    }
}
