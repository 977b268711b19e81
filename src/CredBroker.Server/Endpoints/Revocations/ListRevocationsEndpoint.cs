using System.ComponentModel;
using System.Globalization;
using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Revocations;

/// <summary><c>GET /v1/revocations</c>: what was ordered, by whom and why.</summary>
internal static class ListRevocationsEndpoint
{
    private const int PageSize = 100;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/revocations", HandleAsync)
            .WithName("listRevocations")
            .WithSummary("Orders to revoke, of people and by closed tasks, newest first.")
            .ForRoles(TakenRoles.Readers)
            .Produces<RevocationOrderListResponse>();

    private static async Task<IResult> HandleAsync(
        CallingPerson person,
        PeopleActions actions,
        IBrokerStore store,
        string? before,
        [Description("Those whose id begins with these hexadecimal digits, at most 100, on one page; without before.")]
            string? idPrefix,
        CancellationToken cancellationToken
    )
    {
        var below = long.MaxValue;
        if (
            before is not null
            && !(long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out below) && below > 0)
        )
        {
            return new Refused(new(RefusalCode.RangeInvalid, "before must be the next of an earlier answer."));
        }

        if (idPrefix is not null && (before is not null || !Ids.IsPrefix(idPrefix)))
        {
            return new Refused(
                new(
                    RefusalCode.RangeInvalid,
                    before is null ? Ids.PrefixRule : "before and idPrefix are not asked for together."
                )
            );
        }

        await actions.RecordAsync(person, cancellationToken);
        var (orders, next) = idPrefix is null
            ? await store.Revocations.ListAsync(below, PageSize, cancellationToken)
            : (await store.Revocations.FindByPrefixAsync(idPrefix, PageSize, cancellationToken), null);
        return new Reply<RevocationOrderListResponse>(
            StatusCodes.Status200OK,
            new() { Orders = [.. orders.Select(RevocationResponses.Order)], Next = next },
            BrokerJson.Default.RevocationOrderListResponse
        );
    }
}
