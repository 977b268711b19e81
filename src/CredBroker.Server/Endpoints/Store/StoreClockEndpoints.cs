using CredBroker.Client;
using CredBroker.Core.Readiness;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Store;

/// <summary>
/// <c>GET /v1/store/clock</c> and <c>POST /v1/store/clock/repair</c>: the store's clock beside the broker's, and setting
/// it by that.
/// </summary>
internal static class StoreClockEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/store/clock", ReadAsync)
            .WithName("readStoreClock")
            .WithSummary("The store's clock and the broker's, and whether they keep secrets from being issued.")
            .ForRoles(TakenRoles.Readers)
            .Produces<StoreClockResponse>();
        routes
            .MapPost("/v1/store/clock/repair", RepairAsync)
            .WithName("repairStoreClock")
            .WithSummary("Sets the store's clock by the broker's, which is right. Needs a reason.")
            .ForRoles(TakenRoles.Admins)
            .InTimeByEitherClock()
            .Accepts<RepairClockRequest>("application/json")
            .Produces<StoreClockResponse>();
    }

    private static async Task<IResult> ReadAsync(
        CallingPerson person,
        PeopleActions actions,
        ClockRepair clock,
        IssuingReadiness readiness,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        return Answer(clock, readiness);
    }

    private static async Task<IResult> RepairAsync(
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        ClockRepair clock,
        IssuingReadiness readiness,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.RepairClockRequest);
        if (!read.Then(body => FieldCheck.Reasoned(body, body.Reason)).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        if (readiness.Anchor is { } behind)
        {
            await actions.RecordAsync(admin, cancellationToken);
            return new Refused(behind);
        }

        await clock.RepairAsync(body.Reason, admin.Actor, admin.Call, cancellationToken);
        return Answer(clock, readiness);
    }

    private static Reply<StoreClockResponse> Answer(ClockRepair clock, IssuingReadiness readiness)
    {
        var (store, broker) = clock.Read();
        return new(
            StatusCodes.Status200OK,
            new()
            {
                StoreTime = store,
                BrokerTime = broker,
                KeepsFromIssuing = readiness.Clock is not null,
            },
            BrokerJson.Default.StoreClockResponse
        );
    }
}
