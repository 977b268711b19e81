using CredBroker.Client;
using CredBroker.Core.Holds;
using CredBroker.Core.Revocations;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Revocations;

/// <summary>
/// <c>POST /v1/revocations</c>: ends every lease that a selector reaches, or shows which those would be. With
/// <c>hold</c> it also keeps new ones from being issued.
/// </summary>
internal static class OrderRevocationEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/revocations", HandleAsync)
            .WithName("orderRevocation")
            .WithSummary(
                "Revokes what a selector reaches: 202 once the order is durable, or carried out without its record. With hold: also refuses new issuance "
                    + "and renewal, in the same commit. With dryRun: 200, what it would reach."
            )
            .ForRoles(TakenRoles.Admins)
            .InTimeByEitherClock()
            .Accepts<RevocationRequest>("application/json")
            .Produces<RevocationAcceptedResponse>(StatusCodes.Status202Accepted)
            .Produces<RevocationResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        SelectorCheck check,
        RevocationOrders revocations,
        HoldOrders holds,
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

        if (
            body.AllowNone != true
            && await (
                body.Hold is null
                    ? check.ForRevocationAsync(selector, cancellationToken)
                    : check.ForHoldAsync(selector, cancellationToken)
            )
                is { } nothing
        )
        {
            return await actions.RefuseAsync(admin, nothing);
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

        if (body.Hold is null)
        {
            var order = await revocations.OrderAsync(selector, reason, actor, call, cancellationToken);
            return Accepted(http, new(order.Id) { RecordMissing = Missing(order.Id) });
        }

        var quarantine = await holds.QuarantineAsync(
            selector,
            Selectors.HoldTime(body),
            reason,
            actor,
            call,
            cancellationToken
        );
        return quarantine.Passes(out var hold, out var tooMany)
            ? Accepted(http, new(hold.RevocationId!) { HoldId = hold.Id, RecordMissing = Missing(hold.RevocationId!) })
            : await actions.RefuseAsync(admin, tooMany);

        bool? Missing(string id) => revocations.IsRecordMissing(id) ? true : null;
    }

    private static Reply<RevocationAcceptedResponse> Accepted(HttpContext http, RevocationAcceptedResponse accepted)
    {
        http.Response.Headers.Location = $"/v1/revocations/{accepted.RevocationId}";
        return new(StatusCodes.Status202Accepted, accepted, BrokerJson.Default.RevocationAcceptedResponse);
    }
}
