using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
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
        var agent = CallingAgent.Of(http);
        var body = await RequestBody.ReadAsync(http, BrokerJson.Strict.RenewRequest);
        if (!body.Then(Check).Passes(out var renewal, out var refusal))
        {
            return new Unbound(refusal);
        }

        return CredentialReplies.Shown(
            await leases.RenewAsync(agent.Proof, leaseId, renewal.Ttl, agent.Call, cancellationToken)
        );
    }

    private static Checked<RenewRequest> Check(RenewRequest body)
    {
        var check = new FieldCheck();
        check.Ttl(body.Ttl);
        return check.Of(body);
    }
}
