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
            .Produces<LeaseListResponse>();

    private static async Task<IResult> HandleAsync(
        [AsParameters] LeaseListQuery filter,
        HttpContext http,
        PeopleActions person,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var (reader, refused) = await person.AdmitAsync(http, PeopleActions.Readers);
        if (reader is null)
        {
            return refused!;
        }

        var (query, refusal) = filter.Bind(http.Request.Query);
        if (query is null)
        {
            return new Problem(refusal!);
        }

        await person.RecordAsync(http, reader, query: http.Request.QueryString);
        var page = await store.ListLeasesAsync(query, cancellationToken);
        var body = new LeaseListResponse
        {
            Leases = [.. page.Leases.Select(LeaseResponses.ForPeople)],
            Next = page.Next,
        };
        return new Reply<LeaseListResponse>(StatusCodes.Status200OK, body, BrokerJson.Default.LeaseListResponse);
    }
}
