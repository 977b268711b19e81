using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Server.Endpoints.Callers;

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
        var agent = CallingAgent.Of(http);
        return CredentialReplies.Shown(await leases.FindAsync(agent.Proof, leaseId, agent.Call, cancellationToken));
    }
}
