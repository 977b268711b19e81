namespace CredBroker.Server.Endpoints.Callers;

/// <summary>How endpoints say who calls them.</summary>
internal static class CallerConventions
{
    /// <summary>
    /// Declares the caller of an endpoint, or of every endpoint of a group. An endpoint for people also says
    /// <see cref="ForRoles"/>; until it does, nobody may call it.
    /// </summary>
    public static TBuilder CalledBy<TBuilder>(this TBuilder endpoints, Caller caller)
        where TBuilder : IEndpointConventionBuilder
    {
        var declared = new CalledBy(caller);
        endpoints.WithMetadata(declared);
        return declared.Policy is { } policy ? endpoints.RequireAuthorization(policy) : endpoints.AllowAnonymous();
    }

    /// <summary>The roles that an endpoint for people takes.</summary>
    public static TBuilder ForRoles<TBuilder>(this TBuilder endpoint, TakenRoles roles)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(roles);
}
