using CredBroker.Client;
using CredBroker.Server.Endpoints.Audit;
using CredBroker.Server.Endpoints.Credentials;
using CredBroker.Server.Endpoints.Health;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Policy;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Endpoints.Revocations;
using CredBroker.Server.Endpoints.Tasks;

namespace CredBroker.Server.Endpoints;

/// <summary>Every address of the API.</summary>
internal static class BrokerEndpoints
{
    public const string AgentsTag = "Agents";
    public const string PeopleTag = "Admins and auditors";

    public static void MapBroker(this IEndpointRouteBuilder routes)
    {
        var agents = routes
            .MapGroup("")
            .WithTags(AgentsTag)
            .Refusing(400, 401, 403, 404, 409, 413, 415, 422, 500, 502, 503);
        ExchangeEndpoint.Map(agents);
        FindCredentialEndpoint.Map(agents);
        RenewEndpoint.Map(agents);
        ReleaseEndpoint.Map(agents);
        ReportEndpoint.Map(agents);
        CloseTaskEndpoint.Map(agents);

        var people = routes.MapGroup("").WithTags(PeopleTag).Refusing(400, 401, 403, 404, 413, 415, 500, 503);
        ListLeasesEndpoint.Map(people);
        OrderRevocationEndpoint.Map(people);
        FindRevocationEndpoint.Map(people);
        ReadPolicyEndpoint.Map(people);
        EvaluatePolicyEndpoint.Map(people);
        ListProcessesEndpoint.Map(people);
        ExportAuditEndpoint.Map(people);

        HealthEndpoints.Map(routes.MapGroup("").WithTags("Health"));
    }

    private static RouteGroupBuilder Refusing(this RouteGroupBuilder group, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            group.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemResponse), [Problem.MediaType]));
        }

        return group;
    }
}
