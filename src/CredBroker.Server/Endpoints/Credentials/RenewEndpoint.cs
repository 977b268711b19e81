using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary>
/// <c>POST /v1/credentials/{leaseId}/renew</c>: more life, within the decision's limit and re-evaluated under current
/// policy.
/// </summary>
internal static class RenewEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/credentials/{leaseId}/renew", HandleAsync)
            .WithName("renewCredential")
            .WithSummary("Extends a lease that the caller holds, if current policy still allows it.")
            .Accepts<RenewRequest>("application/json")
            .Produces<LeaseResponse>();

    private static async Task<IResult> HandleAsync(
        string leaseId,
        HttpContext http,
        AgentLeases leases,
        CancellationToken cancellationToken
    )
    {
        var (proof, body, refusal) = await CallingAgent.ReadAsync(http, BrokerJson.Strict.RenewRequest);
        if (body is not null)
        {
            var check = new FieldCheck();
            check.Ttl(body.Ttl);
            refusal = check.Refusal;
        }

        return refusal is not null
            ? await CallingAgent.RefuseAsync(http, refusal)
            : CallingAgent.Reply(
                await leases.RenewAsync(proof!, leaseId, body!.Ttl, RequestOrigin.Of(http), cancellationToken),
                lease => new Reply<LeaseResponse>(
                    StatusCodes.Status200OK,
                    LeaseResponses.ForAgent(lease),
                    BrokerJson.Default.LeaseResponse
                )
            );
    }
}
