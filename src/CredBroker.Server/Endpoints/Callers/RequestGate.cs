using System.Threading.RateLimiting;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.RateLimiting;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Bounds how many requests are worked on at once: beyond that a caller is told at once to come back, instead of
/// waiting in a queue until its time is over. The last eighth is for people alone, so that an admin who revokes gets
/// through: everybody else's requests share the rest, whatever endpoints there come to be. Health, whose endpoints
/// disable rate limits, is never refused.
/// </summary>
internal sealed class RequestGate(ListenerOptions options) : IDisposable
{
    private static readonly Refusal Busy = new(
        RefusalCode.Overloaded,
        "The broker is working on as many requests as it takes at once.",
        TimeSpan.FromSeconds(1)
    );

    // Two limiters and no partitions: a partitioned one keeps a timer that fires ten times a second.
    private readonly ConcurrencyLimiter _all = Limiter(options.MaxRequests);
    private readonly ConcurrencyLimiter _shared = Limiter(Math.Max(1, options.MaxRequests - (options.MaxRequests / 8)));

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null)
        {
            await next(context);
            return;
        }

        // A call that an agent may make too takes from the shared room: whether it is a person's is not known before
        // its token is read, and an agent must not get at the room that is kept.
        using var share = CalledBy.Of(context) is { Caller: Caller.Person } ? null : _shared.AttemptAcquire();
        using var place = share is { IsAcquired: false } ? null : _all.AttemptAcquire();
        await (place is { IsAcquired: true } ? next(context) : new Refused(Busy).ExecuteAsync(context));
    }

    public void Dispose()
    {
        _all.Dispose();
        _shared.Dispose();
    }

    private static ConcurrencyLimiter Limiter(int permits) => new(new() { PermitLimit = permits, QueueLimit = 0 });
}
