using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Server.Identity;

/// <summary>
/// Turns a person's bearer token into that person. Only tokens of issuers that are configured for people count.
/// </summary>
internal sealed class PeopleVerifier(IdentityRegistry registry, TokenVerification verification)
{
    /// <summary>Verifies the token. Never throws for what a caller sent.</summary>
    public async ValueTask<PersonOutcome> VerifyAsync(SecretText bearer, CancellationToken cancellationToken)
    {
        var text = bearer.Reveal();
        if (!CompactJws.TryRead(text, out var token, out var malformed))
        {
            return Refused(malformed);
        }

        using (token)
        {
            if (registry.Routing.RoutePerson(token, out var rules) is { } unrouted)
            {
                return Refused(unrouted);
            }

            var verdict = await verification.VerifyAsync(token, rules!, registry.KeysOf(rules!), cancellationToken);
            if (verdict.Refusal is { } unverified)
            {
                return Refused(unverified);
            }

            return rules!.Identify(token, verdict.Window, TokenHash.Of(text), out var person) is { } unidentified
                ? Refused(unidentified)
                : new PersonOutcome.Verified(person!);
        }
    }

    private static PersonOutcome.Refused Refused(Refusal refusal) => new(refusal);
}
