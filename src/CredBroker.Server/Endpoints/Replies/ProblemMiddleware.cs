using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>
/// Outermost: whatever the server itself refuses (no such address, wrong method, a body too large) and every fault
/// leaves as a refusal with a stable code. A fault tells the caller its trace id and nothing else. While a request is in
/// here its connection is at work (<see cref="ConnectionRoom"/>).
/// </summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var connection = OpenConnection.Of(context);
        connection?.Listener.Connections.Begin(connection);
        try
        {
            Refusal? refusal;
            try
            {
                ReplyHeaders.Set(context.Response);
                await next(context);
                if (context.Response.HasStarted || context.Response.ContentType is not null)
                {
                    return;
                }

                refusal = OfStatus(context.Response.StatusCode);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                return;
            }
            catch (IOException e)
                when (e is not BadHttpRequestException && context.RequestAborted.IsCancellationRequested)
            {
                // The caller is gone, or takes its request back: nobody is there to answer, and it is no fault of ours.
                return;
            }
            catch (BadHttpRequestException e) when (e.StatusCode != StatusCodes.Status400BadRequest)
            {
                refusal = OfStatus(e.StatusCode) ?? Unreadable;
            }
            catch (BadHttpRequestException)
            {
                // The body's framing is broken; a parameter of the wrong form ends as a status above.
                refusal = Unreadable;
            }
            catch (StoreUnavailableException e)
            {
                StoreUnavailable(e);
                refusal = new Refusal(
                    RefusalCode.StoreUnavailable,
                    "The broker's store does not answer; nothing was issued or changed.",
                    TimeSpan.FromSeconds(5)
                );
            }
            catch (OrderNotKeptException e)
            {
                refusal = new Refusal(
                    RefusalCode.OrderNotKept,
                    $"The broker's store takes no change, and too many orders wait for it already. This one is not kept, nor "
                        + $"its hold, if it has one: it was carried out at Vault once. Known leases confirmed gone: {e.Dead}; "
                        + $"{(e.AreGone ? "nothing that it reaches is left" : "some may be left, so give it again")}.",
                    TimeSpan.FromSeconds(5)
                );
            }
#pragma warning disable CA1031 // The edge of the process: any fault becomes CB6999, and is logged with its trace id.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Fault(e);
                refusal = new Refusal(
                    RefusalCode.Fault,
                    "The broker failed to answer. Its operator finds the reason in the log by the trace id."
                );
            }

            if (refusal is not null)
            {
                await RefuseAsync(context, refusal);
            }
        }
        finally
        {
            connection?.Listener.Connections.End(connection);
        }
    }

    private static async Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        if (context.Response.HasStarted)
        {
            // Half a reply is on its way (an export); cutting the connection is the only honest end.
            context.Abort();
            return;
        }

        // Allow is kept: RFC 9110 wants it beside 405.
        var allow = context.Response.Headers.Allow;
        context.Response.Clear();
        ReplyHeaders.Set(context.Response);
        context.Response.Headers.Allow = allow;
        await new Refused(refusal).ExecuteAsync(context);
    }

    private static Refusal? OfStatus(int status) =>
        status switch
        {
            StatusCodes.Status404NotFound => new(RefusalCode.RouteUnknown, "There is no such address."),
            StatusCodes.Status405MethodNotAllowed => new(
                RefusalCode.MethodNotAllowed,
                "The address does not take this method."
            ),
            StatusCodes.Status413PayloadTooLarge => new(
                RefusalCode.BodyTooLarge,
                "The body is larger than this call takes."
            ),
            StatusCodes.Status415UnsupportedMediaType => new(
                RefusalCode.MediaTypeNotSupported,
                "Send the body as application/json."
            ),
            StatusCodes.Status400BadRequest => new(
                RefusalCode.FieldInvalid,
                "A parameter of the address has not the form that this call takes."
            ),
            > 400 and < 500 => Unreadable,
            _ => null,
        };

    private static Refusal Unreadable => new(RefusalCode.BodyInvalid, "The request could not be read.");

    [LoggerMessage(Level = LogLevel.Error, Message = "The store does not answer.")]
    private partial void StoreUnavailable(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "A request failed.")]
    private partial void Fault(Exception exception);
}
