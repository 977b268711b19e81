using CredBroker.Server.Endpoints.Access;
using CredBroker.Server.Endpoints.Approvals;
using CredBroker.Server.Endpoints.Audit;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Catalogue;
using CredBroker.Server.Endpoints.Credentials;
using CredBroker.Server.Endpoints.Health;
using CredBroker.Server.Endpoints.Holds;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Login;
using CredBroker.Server.Endpoints.Owners;
using CredBroker.Server.Endpoints.Policy;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Endpoints.Revocations;
using CredBroker.Server.Endpoints.Store;
using CredBroker.Server.Endpoints.Tasks;
using CredBroker.Server.Endpoints.Vault;

namespace CredBroker.Server.Endpoints;

/// <summary>Every address of the API, and who calls it.</summary>
internal static class BrokerEndpoints
{
    public static void MapBroker(this IEndpointRouteBuilder routes)
    {
        var agents = routes.MapAgents(Caller.Agent);
        ExchangeEndpoint.Map(agents);
        FindCredentialEndpoint.Map(agents);
        RenewEndpoint.Map(agents);
        ReleaseEndpoint.Map(agents);
        ReportEndpoint.Map(agents);
        ReadCatalogueEndpoint.Map(agents);
        var either = routes.MapAgents(Caller.AgentOrPerson);
        CloseTaskEndpoint.Map(either);
        WhoamiEndpoint.Map(either);

        AccessEndpoints.Map(
            routes
                .MapGroup("")
                .CalledBy(Caller.AgentOrPerson)
                .WithTags("AuthZEN")
                .Refusing(AccessErrors.Form, 400, 401, 403, 413, 500, 503)
        );
        AccessEndpoints.MapConfiguration(
            routes.MapGroup("").CalledBy(Caller.Anyone).WithTags("AuthZEN").Refusing(AccessErrors.Form, 400, 500, 503)
        );
        AccessRequestEndpoints.Map(
            routes
                .MapGroup("")
                .CalledBy(Caller.Agent)
                .WithTags("AuthZEN")
                .Refusing(AccessRequestErrors.Form, 400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 500, 502, 503)
        );
        FindRequestEndpoint.Map(agents);
        ListRequestsEndpoint.Map(agents);

        var people = routes
            .MapGroup("")
            .CalledBy(Caller.Person)
            .WithTags("Admins and auditors")
            .Refusing(RefusalForm.Problem, 400, 401, 403, 404, 409, 413, 415, 500, 503);
        ListLeasesEndpoint.Map(people);
        ConfirmLeaseEndpoint.Map(people);
        OrderRevocationEndpoint.Map(people);
        ListRevocationsEndpoint.Map(people);
        FindRevocationEndpoint.Map(people);
        PlaceHoldEndpoint.Map(people);
        ListHoldsEndpoint.Map(people);
        LiftHoldEndpoint.Map(people);
        OwnerEndpoints.Map(people);
        ScimEndpoints.Map(
            routes
                .MapGroup("")
                .CalledBy(Caller.Person)
                .WithTags("SCIM")
                .Refusing(ScimErrors.Form, 400, 401, 403, 404, 409, 413, 415, 500, 503)
        );
        ApprovalEndpoints.Map(people);
        GroupEndpoints.Map(people);
        TimeBoxEndpoints.Map(people);
        WatchApprovalsEndpoint.Map(people);
        StoreClockEndpoints.Map(people);
        StoreAnchorEndpoints.Map(people);
        VaultClusterEndpoints.Map(people);
        ReadPolicyEndpoint.Map(people);
        PolicyVersionEndpoints.Map(people);
        EditPolicyEndpoints.Map(people);
        PreviewPolicyEndpoint.Map(people);
        ReplayPolicyEndpoint.Map(people);
        EvaluatePolicyEndpoint.Map(people);
        ListProcessesEndpoint.Map(people);
        ExportAuditEndpoint.Map(people);

        ReadLoginEndpoint.Map(
            routes.MapGroup("").CalledBy(Caller.Anyone).WithTags("Login").Refusing(RefusalForm.Problem, 500, 503)
        );
        HealthEndpoints.Map(routes.MapGroup("").CalledBy(Caller.Anyone).DisableRateLimiting().WithTags("Health"));
    }

    private static RouteGroupBuilder MapAgents(this IEndpointRouteBuilder routes, Caller caller) =>
        routes
            .MapGroup("")
            .CalledBy(caller)
            .WithTags("Agents")
            .Refusing(RefusalForm.Problem, 400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503);

    private static RouteGroupBuilder Refusing(this RouteGroupBuilder group, RefusalForm form, params int[] statuses)
    {
        group.WithMetadata(form);
        foreach (var status in statuses)
        {
            group.WithMetadata(new ProducesResponseTypeMetadata(status, form.Body, [form.MediaType]));
        }

        return group;
    }
}
