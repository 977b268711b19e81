namespace CredBroker.Server.Endpoints.Callers;

/// <summary>How endpoints say who calls them.</summary>
internal static class CallerConventions
{
    /// <summary>
    /// Declares the caller of an endpoint, or of every endpoint of a group. An endpoint that people call also says
    /// <see cref="ForRoles"/>; until it does, no person may call it.
    /// </summary>
    public static TBuilder CalledBy<TBuilder>(this TBuilder endpoints, Caller caller)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata(new CalledBy(caller));

    /// <summary>The roles that an endpoint takes of people.</summary>
    public static TBuilder ForRoles<TBuilder>(this TBuilder endpoint, TakenRoles roles)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(roles);

    /// <summary>
    /// A person's token that is in time by the broker's clock or by its store's is taken. For what takes secrets away, and
    /// the repair of the clock; never for what gives something back.
    /// </summary>
    public static TBuilder InTimeByEitherClock<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ByEitherClock());
}
