using Microsoft.AspNetCore.Authorization;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>What an endpoint declares about its caller, as metadata.</summary>
internal sealed record CalledBy(Caller Caller)
{
    // The proof is bound, not judged: see ProofBinding.
    private static readonly AuthorizationPolicy Proof = new AuthorizationPolicyBuilder(ProofBinding.Scheme)
        .RequireAssertion(context => (context.Resource as HttpContext)?.Features.Get<CallingAgent>() is not null)
        .Build();

    private static readonly AuthorizationPolicy Role = new AuthorizationPolicyBuilder(PersonAuthentication.Scheme)
        .RequireAuthenticatedUser()
        .RequireAssertion(context =>
            context.Resource is HttpContext http
            && http.Features.Get<CallingPerson>() is { Person: var person }
            && TakenRoles.Of(http).Admit(person)
        )
        .Build();

    /// <summary>
    /// For an endpoint that declares no caller: nobody may call it, and there is no scheme by which anybody could be
    /// asked who they are, so that it ends as a fault. Addresses and methods that routing itself refuses are no
    /// endpoints of ours and stay what they are.
    /// </summary>
    public static readonly AuthorizationPolicy Nobody = new AuthorizationPolicyBuilder()
        .RequireAssertion(context => context.Resource is HttpContext http && http.GetEndpoint() is not RouteEndpoint)
        .Build();

    /// <summary>What the endpoint of a call declares; null where there is none, or it declares nothing.</summary>
    public static CalledBy? Of(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<CalledBy>();

    /// <summary>How the endpoint's callers are told, for the authorization middleware; null: they are not asked.</summary>
    public AuthorizationPolicy? Policy =>
        Caller switch
        {
            Caller.Agent or Caller.AgentOrPerson => Proof,
            Caller.Person => Role,
            Caller.Anyone => null,
            _ => throw new InvalidOperationException($"Unknown caller {Caller}."),
        };
}
