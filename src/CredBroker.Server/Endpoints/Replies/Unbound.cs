using CredBroker.Core.Callers;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>
/// Refuses an agent's request that could not be bound, so that no operation has recorded it: it is put on record here,
/// or counted where there are many.
/// </summary>
internal sealed class Unbound(Refusal refusal) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var refusedCalls = httpContext.RequestServices.GetRequiredService<RefusedCalls>();
        await refusedCalls.RecordAsync(refusal, RequestOrigin.Of(httpContext), CancellationToken.None);
        await new Refused(refusal).ExecuteAsync(httpContext);
    }
}
