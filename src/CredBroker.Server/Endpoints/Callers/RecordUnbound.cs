using CredBroker.Core.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Puts agents' requests that could not be bound on record, or counts them where there are many. Refusals after
/// verification are on record by then: Core commits them with the decision.
/// </summary>
internal sealed class RecordUnbound(RefusedCalls refusedCalls) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = await next(context);
        if (result is Unbound unbound)
        {
            await refusedCalls.RecordAsync(
                unbound.Refusal,
                RequestOrigin.Of(context.HttpContext),
                CancellationToken.None
            );
        }

        return result;
    }
}
