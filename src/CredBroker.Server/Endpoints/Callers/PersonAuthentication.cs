using System.Security.Claims;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Server.Endpoints.Replies;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.Features;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Verifies a person's token. Whether they have a role that the endpoint takes is authorization; who lacks it is told
/// so, and that is on record under their name.
/// </summary>
internal sealed class PersonAuthentication(PeopleVerifier verifier, PeopleActions actions, RefusedCalls refusedCalls)
    : CallerAuthentication(refusedCalls)
{
    /// <summary>The name of the scheme.</summary>
    public const string Scheme = "person";

    public override async Task<AuthenticateResult> AuthenticateAsync()
    {
        if (!Bearer.Read(Http).Passes(out var token, out var refusal))
        {
            return Refuse(refusal);
        }

        switch (await verifier.VerifyAsync(token, Http.RequestAborted))
        {
            case PersonOutcome.Verified { Person: var person }:
                Http.Features.Set(CallingPerson.Of(Http, person));
                return AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(Scheme)), Scheme));
            case PersonOutcome.Refused refused:
                return Refuse(refused.Refusal);
            case var other:
                throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}.");
        }
    }

    public override async Task ForbidAsync(AuthenticationProperties? properties)
    {
        var missing = TakenRoles.Of(Http).Refusal;
        await actions.RecordRefusedAsync(Http.Features.GetRequiredFeature<CallingPerson>(), missing);
        await new Refused(missing).ExecuteAsync(Http);
    }
}
