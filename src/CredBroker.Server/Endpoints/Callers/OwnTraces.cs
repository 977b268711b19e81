using System.Diagnostics;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Each call gets a trace id of the broker's making: it stands in the audit log, and a caller that could choose it could
/// make its deeds look like parts of another's. The trace that the caller names in <c>traceparent</c> (W3C Trace Context)
/// is kept as what led to this one, a link of the call's span.
/// </summary>
internal sealed class OwnTraces : DistributedContextPropagator
{
    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Fields => [];

    /// <inheritdoc/>
    public override void ExtractTraceIdAndState(
        object? carrier,
        PropagatorGetterCallback? getter,
        out string? traceId,
        out string? traceState
    ) => (traceId, traceState) = (null, null);

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(
        object? carrier,
        PropagatorGetterCallback? getter
    ) => null;

    /// <inheritdoc/>
    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) { }
}

/// <summary>Puts them into the host.</summary>
internal static class OwnTracesSetup
{
    public static void AddOwnTraces(this IServiceCollection services) =>
        services.AddSingleton<DistributedContextPropagator, OwnTraces>();

    /// <summary>Links the span of each call to the caller's, where it names one.</summary>
    public static void UseOwnTraces(this WebApplication app) =>
        app.Use(
            (http, next) =>
            {
                if (
                    Activity.Current is { IsAllDataRequested: true } span
                    && http.Request.Headers.TraceParent is [{ } parent]
                    && ActivityContext.TryParse(parent, null, isRemote: true, out var caller)
                )
                {
                    span.AddLink(new(caller));
                }

                return next(http);
            }
        );
}
