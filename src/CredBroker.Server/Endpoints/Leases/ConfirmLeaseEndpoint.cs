using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Leases;

/// <summary>
/// <c>POST /v1/leases/{id}/confirm</c>: an admin says that a secret is gone which nobody can prove gone.
/// </summary>
internal static class ConfirmLeaseEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/leases/{id}/confirm", HandleAsync)
            .WithName("confirmLease")
            .WithSummary("Calls a lease revoked on an admin's word, where neither Vault nor its backend can prove it.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<ConfirmLeaseRequest>("application/json")
            .Produces<LeaseResponse>();

    private static async Task<IResult> HandleAsync(
        string id,
        HttpContext http,
        CallingPerson admin,
        LeaseConfirmation confirmation,
        CancellationToken cancellationToken
    )
    {
        var body = await RequestBody.ReadAsync(http, BrokerJson.Strict.ConfirmLeaseRequest);
        if (!body.Then(Check).Passes(out var request, out var fault))
        {
            return new Refused(fault);
        }

        return await confirmation.ConfirmAsync(
            id,
            request.Evidence.Trim(),
            admin.Actor,
            admin.Call,
            cancellationToken
        ) switch
        {
            LeaseOutcome.Found { Lease: var lease } => new Reply<LeaseResponse>(
                StatusCodes.Status200OK,
                LeaseResponses.ForPeople(lease),
                BrokerJson.Default.LeaseResponse
            ),
            LeaseOutcome.Refused { Refusal: var refusal } => new Refused(refusal),
            var other => throw new InvalidOperationException($"{other} is no outcome of a confirmation."),
        };
    }

    private static Checked<ConfirmLeaseRequest> Check(ConfirmLeaseRequest body)
    {
        var check = new FieldCheck();
        check.Statement("evidence", body.Evidence, FieldCheck.MaxPurpose);
        return check.Of(body);
    }
}
