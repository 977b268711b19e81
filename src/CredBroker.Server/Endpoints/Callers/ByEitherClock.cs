namespace CredBroker.Server.Endpoints.Callers;

/// <summary>Metadata of an endpoint: see <see cref="CallerConventions.InTimeByEitherClock"/>.</summary>
internal sealed record ByEitherClock
{
    /// <summary>Whether the endpoint that a request has reached says so.</summary>
    public static bool Of(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<ByEitherClock>() is not null;
}
