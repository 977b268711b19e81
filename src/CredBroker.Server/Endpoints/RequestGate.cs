using CredBroker.Core;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints;

/// <summary>
/// Bounds how many requests are worked on at once: beyond that a caller is told at once to come back, instead of waiting in a queue until its time is over.
/// Health is never refused.
/// </summary>
internal sealed class RequestGate(RequestDelegate next, ListenerOptions options)
{
    private static readonly Refusal Busy = new(RefusalCode.Overloaded, "The broker is working on as many requests as it takes at once.", TimeSpan.FromSeconds(1));

    private int running;

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
        {
            await next(context);
            return;
        }

        try
        {
            if (Interlocked.Increment(ref running) > options.MaxRequests)
            {
                await new Problem(Busy).ExecuteAsync(context);
                return;
            }

            await next(context);
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }
}
