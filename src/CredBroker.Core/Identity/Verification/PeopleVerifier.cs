using CredBroker.Core.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Turns a person's bearer token into that person. Only tokens of issuers that are trusted for people count.
/// </summary>
public sealed class PeopleVerifier(TokenRouting routing, TokenVerification verification)
{
    /// <summary>Verifies the token. Never throws for what a caller sent.</summary>
    public async ValueTask<PersonOutcome> VerifyAsync(SecretText bearer, CancellationToken cancellationToken)
    {
        if (!CompactJws.TryRead(bearer.Reveal(), out var token, out var refusal))
        {
            return new PersonOutcome.Refused(refusal);
        }

        using (token)
        {
            if (!routing.RoutePerson(token).Passes(out var route, out refusal))
            {
                return new PersonOutcome.Refused(refusal);
            }

            var check = await verification.VerifyAsync(token, route.Rules, route.Trust, cancellationToken);
            return check.Passes(out var verified, out refusal)
                ? route.Identify(verified)
                : new PersonOutcome.Refused(refusal);
        }
    }
}
