using CredBroker.Client;
using CredBroker.Core.Revocations;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Revocations;

/// <summary>
/// <c>POST /v1/revocations</c>: ends every lease that a selector reaches, or shows which those would be.
/// </summary>
internal static class OrderRevocationEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/revocations", HandleAsync)
            .WithName("orderRevocation")
            .WithSummary(
                "Revokes what a selector reaches: 202 once the order is durable. With dryRun: 200, what it would reach."
            )
            .ForRoles(TakenRoles.Admins)
            .Accepts<RevocationRequest>("application/json")
            .Produces<RevocationAcceptedResponse>(StatusCodes.Status202Accepted)
            .Produces<RevocationResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson admin,
        RevocationOrders revocations,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.RevocationRequest);
        if (!read.Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        if (!Selectors.Bind(body).Passes(out var selector, out var refusal))
        {
            return new Refused(refusal);
        }

        var (reason, actor, call) = (body.Reason ?? "", admin.Actor, admin.Call);
        if (body.DryRun == true)
        {
            var reached = await revocations.DryRunAsync(selector, reason, actor, call, cancellationToken);
            return new Reply<RevocationResponse>(
                StatusCodes.Status200OK,
                RevocationResponses.DryRun(reached),
                BrokerJson.Default.RevocationResponse
            );
        }

        var order = await revocations.OrderAsync(selector, reason, actor, call, cancellationToken);
        http.Response.Headers.Location = $"/v1/revocations/{order.Id}";
        return new Reply<RevocationAcceptedResponse>(
            StatusCodes.Status202Accepted,
            new(order.Id),
            BrokerJson.Default.RevocationAcceptedResponse
        );
    }
}
