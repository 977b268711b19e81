using CredBroker.Client;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Leases;

/// <summary><c>GET /v1/leases</c>: who holds what now.</summary>
internal static class ListLeasesEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/leases", HandleAsync)
            .WithName("listLeases")
            .WithSummary("Leases, newest first, a page at a time. Never a secret.")
            .ForRoles(TakenRoles.Readers)
            .Produces<LeaseListResponse>();

    private static async Task<IResult> HandleAsync(
        [AsParameters] LeaseListQuery filter,
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        if (!filter.Bind(http.Request.Query).Passes(out var query, out var refusal))
        {
            return new Refused(refusal);
        }

        await actions.RecordAsync(person, http.Request.QueryString, cancellationToken);
        var page = await store.Leases.ListAsync(query, cancellationToken);
        var body = new LeaseListResponse
        {
            Leases = LeaseResponses.ForPeople(page.Leases, page.Unreadable),
            Next = page.Next,
        };
        return new Reply<LeaseListResponse>(StatusCodes.Status200OK, body, BrokerJson.Default.LeaseListResponse);
    }
}
