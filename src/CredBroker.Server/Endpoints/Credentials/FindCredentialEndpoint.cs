using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary><c>GET /v1/credentials/{leaseId}</c>: where a lease stands, never the secret.</summary>
internal static class FindCredentialEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/credentials/{leaseId}", HandleAsync)
            .WithName("findCredential")
            .WithSummary("The state of a lease that the caller holds. Never the secret.")
            .Produces<LeaseResponse>();

    private static async Task<IResult> HandleAsync(
        string leaseId,
        HttpContext http,
        AgentLeases leases,
        CancellationToken cancellationToken
    )
    {
        var (proof, refusal) = CallingAgent.Proof(http);
        return proof is null
            ? await CallingAgent.RefuseAsync(http, refusal!)
            : CallingAgent.Reply(
                await leases.FindAsync(proof, leaseId, RequestOrigin.Of(http), cancellationToken),
                lease => new Reply<LeaseResponse>(
                    StatusCodes.Status200OK,
                    LeaseResponses.ForAgent(lease),
                    BrokerJson.Default.LeaseResponse
                )
            );
    }
}
