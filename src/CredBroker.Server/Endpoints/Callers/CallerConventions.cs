using CredBroker.Core.Identity.Verification;

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
    /// What admins alone may do is judged by the later clock; this declares that it takes secrets away, or repairs the
    /// clock, and that either will do (<see cref="PersonClock"/>).
    /// </summary>
    public static TBuilder InTimeByEitherClock<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(PersonClock.Either);
}
