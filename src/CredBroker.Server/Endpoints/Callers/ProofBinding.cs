using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using Microsoft.AspNetCore.Authentication;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Takes an agent's proof off its request, before anything of the body is read. It authenticates nobody: a proof is
/// verified in Core, once, after the exchange has noted the fence that every later revocation rises above. So a call
/// that gets past here has sent a proof, and the user of the request stays anonymous.
/// </summary>
internal sealed class ProofBinding(RefusedCalls refusedCalls) : CallerAuthentication(refusedCalls)
{
    /// <summary>The name of the scheme.</summary>
    public const string Scheme = "proof";

    public override Task<AuthenticateResult> AuthenticateAsync()
    {
        if (!Bearer.Read(Http).Passes(out var token, out var refusal))
        {
            return Task.FromResult(Refuse(refusal));
        }

        Http.Features.Set(new CallingAgent(new IdentityProof.Bearer(token), RequestOrigin.Of(Http)));
        return Task.FromResult(AuthenticateResult.NoResult());
    }

    public override Task ForbidAsync(AuthenticationProperties? properties) =>
        throw new InvalidOperationException("Whether an agent may do something is not decided at the edge.");
}
