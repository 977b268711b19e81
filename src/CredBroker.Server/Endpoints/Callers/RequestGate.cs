using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Bounds how many requests are worked on at once: beyond that a caller is told at once to come back, instead of
/// waiting in a queue until its time is over. Health is never refused, and agents' calls, whose bodies are read before
/// their callers are known, never take the last eighth: an admin who revokes gets through.
/// </summary>
internal sealed class RequestGate(RequestDelegate next, ListenerOptions options)
{
    private static readonly Refusal Busy = new(
        RefusalCode.Overloaded,
        "The broker is working on as many requests as it takes at once.",
        TimeSpan.FromSeconds(1)
    );

    private int _running;
    private int _agents;

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
        {
            await next(context);
            return;
        }

        var isAgents =
            context.Request.Path.StartsWithSegments("/v1/credentials", StringComparison.OrdinalIgnoreCase)
            || context.Request.Path.StartsWithSegments("/v1/tasks", StringComparison.OrdinalIgnoreCase);
        try
        {
            var overall = Interlocked.Increment(ref _running) > options.MaxRequests;
            if ((isAgents && Interlocked.Increment(ref _agents) > AgentsLimit) || overall)
            {
                await new Problem(Busy).ExecuteAsync(context);
                return;
            }

            await next(context);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            if (isAgents)
            {
                Interlocked.Decrement(ref _agents);
            }
        }
    }

    private int AgentsLimit => Math.Max(1, options.MaxRequests - (options.MaxRequests / 8));
}
