using CredBroker.Client;
using CredBroker.Core.Owners;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Owners;

/// <summary><c>/v1/owners</c>: owners of processes who are gone.</summary>
internal static class OwnerEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/owners/retired", ListAsync)
            .WithName("listRetiredOwners")
            .WithSummary("Every owner who is gone, the newest first.")
            .ForRoles(TakenRoles.Readers)
            .Produces<RetiredOwnerListResponse>();
        routes
            .MapPost("/v1/owners/retire", RetireAsync)
            .WithName("retireOwner")
            .WithSummary("An owner is gone: their processes are constrained at once. Needs a reason.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<OwnerRequest>("application/json")
            .Produces<RetireOwnerResponse>();
        routes
            .MapPost("/v1/owners/reinstate", ReinstateAsync)
            .WithName("reinstateOwner")
            .WithSummary("An owner is back: their processes have an owner again. Needs a reason.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<OwnerRequest>("application/json")
            .Produces<RetiredOwnerResponse>();
    }

    private static async Task<IResult> ListAsync(
        CallingPerson person,
        PeopleActions actions,
        OwnerOrders owners,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        var gone = await owners.ListAsync(cancellationToken);
        return new Reply<RetiredOwnerListResponse>(
            StatusCodes.Status200OK,
            new() { Owners = [.. gone.Select(owner => Of(owner, owners))] },
            BrokerJson.Default.RetiredOwnerListResponse
        );
    }

    private static async Task<IResult> RetireAsync(
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        OwnerOrders owners,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.OwnerRequest);
        if (!read.Then(Check).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        var retired = await owners.RetireAsync(
            body.Issuer,
            body.Subject,
            body.Reason,
            admin.Actor,
            admin.Call,
            cancellationToken
        );
        return retired.Passes(out var gone, out var refusal)
            ? new Reply<RetireOwnerResponse>(
                StatusCodes.Status200OK,
                new()
                {
                    Owner = Of(gone.Owner, owners),
                    AlreadyGone = gone.IsAlready ? true : null,
                    Leases = [.. gone.Leases.Select(LeaseResponses.ForPeople)],
                    More = gone.IsCut ? true : null,
                    Revocations = gone.Orders,
                },
                BrokerJson.Default.RetireOwnerResponse
            )
            : await actions.RefuseAsync(admin, refusal);
    }

    private static async Task<IResult> ReinstateAsync(
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        OwnerOrders owners,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.OwnerRequest);
        if (!read.Then(Check).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        var back = await owners.ReinstateAsync(
            body.Issuer,
            body.Subject,
            body.Reason,
            admin.Actor,
            admin.Call,
            cancellationToken
        );
        return back.Passes(out var owner, out var refusal)
            ? new Reply<RetiredOwnerResponse>(
                StatusCodes.Status200OK,
                Of(owner, owners),
                BrokerJson.Default.RetiredOwnerResponse
            )
            : await actions.RefuseAsync(admin, refusal);
    }

    private static Checked<OwnerRequest> Check(OwnerRequest body)
    {
        var check = new FieldCheck();
        check.IdentityText("issuer", body.Issuer);
        check.IdentityText("subject", body.Subject);
        check.Statement("reason", body.Reason, FieldCheck.MaxPurpose);
        return check.Of(body);
    }

    private static RetiredOwnerResponse Of(OwnerRetirement owner, OwnerOrders owners) =>
        new()
        {
            Issuer = owner.Issuer,
            Subject = owner.Subject,
            Reason = owner.Reason,
            RetiredBy = owner.RetiredBy,
            RetiredAt = owner.RetiredAt,
            Processes = [.. owners.ProcessesOf(owner.Issuer, owner.Subject).Select(process => process.Name)],
        };
}
