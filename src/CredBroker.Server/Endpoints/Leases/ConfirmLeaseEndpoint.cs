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
        PeopleActions actions,
        LeaseConfirmation confirmation,
        CancellationToken cancellationToken
    )
    {
        var body = await RequestBody.ReadAsync(http, BrokerJson.Strict.ConfirmLeaseRequest);
        if (!body.Then(Check).Passes(out var request, out var fault))
        {
            return new Refused(fault);
        }

        var outcome = await confirmation.ConfirmAsync(
            id,
            request.Evidence.Trim(),
            admin.Actor,
            admin.Call,
            cancellationToken
        );
        if (outcome is LeaseOutcome.Refused { Refusal: var refusal })
        {
            await actions.RecordRefusedAsync(admin, refusal);
            return new Refused(refusal);
        }

        return new Reply<LeaseResponse>(
            StatusCodes.Status200OK,
            outcome is LeaseOutcome.Unreadable { Lease: var unreadable }
                ? LeaseResponses.ForPeople(unreadable)
                : LeaseResponses.ForPeople(((LeaseOutcome.Found)outcome).Lease),
            BrokerJson.Default.LeaseResponse
        );
    }

    private static Checked<ConfirmLeaseRequest> Check(ConfirmLeaseRequest body)
    {
        var check = new FieldCheck();
        check.Statement("evidence", body.Evidence, FieldCheck.MaxPurpose);
        return check.Of(body);
    }
}
