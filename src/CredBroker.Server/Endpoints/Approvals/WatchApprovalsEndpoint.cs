using System.Globalization;
using System.Text;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary>
/// <c>GET /v1/approvals/events</c>: server-sent events for approvers. Who connects hears what is open; who connects again
/// with <c>Last-Event-ID</c>, at whichever broker, hears what has changed since. It ends with the caller's token at the
/// latest.
/// </summary>
internal static class WatchApprovalsEndpoint
{
    private const string EventStream = "text/event-stream";
    private const string LastEventId = "Last-Event-ID";
    private static readonly byte[] Beat = "event: heartbeat\ndata: {}\n\n"u8.ToArray();
    private static readonly Refusal IdInvalid = new(
        RefusalCode.FieldInvalid,
        $"{LastEventId} must be the id of an event of this stream, a number."
    );
    private static readonly Refusal TooMany = new(
        RefusalCode.Overloaded,
        $"Too many look on at once; one person {ApprovalStreams.MaxOfOne} times at most. List the requests instead.",
        TimeSpan.FromSeconds(5)
    );

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/approvals/events", HandleAsync)
            .WithName("watchApprovals")
            .WithSummary("The open requests that the caller may decide, then each one as it changes, as events.")
            .ForRoles(TakenRoles.Approvers)
            .Produces<string>(StatusCodes.Status200OK, EventStream);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        ApprovalWatch watch,
        ApprovalStreams streams,
        IBrokerStore store,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken
    )
    {
        if (!TryReadLast(http, out var after))
        {
            return new Refused(IdInvalid);
        }

        if (!streams.TryEnter(person.Actor))
        {
            return await actions.RefuseAsync(person, TooMany);
        }

        try
        {
            await actions.RecordAsync(person, cancellationToken);
            // A broker that stops does not wait for who looks on.
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(
                cancellationToken,
                lifetime.ApplicationStopping
            );
            await WriteAsync(http.Response, watch.FollowAsync(person.Person, after, ending.Token), store);
        }
        catch (OperationCanceledException)
        {
            // Whoever looked on is gone, or the broker stops: what was not told is told to who connects again.
        }
        catch (StoreUnavailableException) when (http.Response.HasStarted)
        {
            // The same; the store says so itself.
        }
        finally
        {
            streams.Leave(person.Actor);
        }

        return Results.Empty;
    }

    private static async Task WriteAsync(HttpResponse response, IAsyncEnumerable<Approval?> changes, IBrokerStore store)
    {
        response.ContentType = EventStream;
        // Proxies would keep events until there are many.
        response.Headers["X-Accel-Buffering"] = "no";
        await foreach (var approval in changes)
        {
            if (approval is null)
            {
                await response.BodyWriter.WriteAsync(Beat);
                continue;
            }

            var head = string.Create(CultureInfo.InvariantCulture, $"event: approval\nid: {approval.Change}\ndata: ");
            var data = JsonSerializer.SerializeToUtf8Bytes(
                ApprovalResponses.Of(approval, store.Position),
                BrokerJson.Default.ApprovalResponse
            );
            await response.BodyWriter.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. data, .. "\n\n"u8]);
        }
    }

    private static bool TryReadLast(HttpContext http, out long? after)
    {
        after = null;
        if (!http.Request.Headers.TryGetValue(LastEventId, out var values))
        {
            return true;
        }

        var isNumber = long.TryParse(values, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        after = number;
        return isNumber;
    }
}
