namespace CredBroker.Server.Endpoints.Callers;

/// <summary>What an endpoint declares about its caller, as metadata.</summary>
internal sealed record CalledBy(Caller Caller)
{
    /// <summary>
    /// Who calls the endpoint that a request has reached. An endpoint that declares nothing is served to nobody: that
    /// is a fault. Addresses and methods that routing itself refuses are no endpoints of ours, and anybody may ask.
    /// </summary>
    public static Caller Of(HttpContext http) =>
        http.GetEndpoint() switch
        {
            { } endpoint when endpoint.Metadata.GetMetadata<CalledBy>() is { Caller: var caller } => caller,
            RouteEndpoint undeclared => throw new InvalidOperationException(
                $"{undeclared.DisplayName} does not declare its caller."
            ),
            _ => Caller.Anyone,
        };
}
