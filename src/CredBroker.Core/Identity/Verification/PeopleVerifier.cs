using CredBroker.Core.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Turns a person's bearer token into that person. Only tokens of issuers that are trusted for people count.
/// </summary>
public sealed class PeopleVerifier(TokenRouting routing, TokenVerification verification, TimeProvider time)
{
    private const int RememberedTokens = 2_048;

    // People's own, so that no flood of agents' tokens keeps an admin waiting.
    private readonly BearerTokens<PersonOutcome> _tokens = new(
        RememberedTokens,
        routing.RoutePerson,
        refusal => new PersonOutcome.Refused(refusal),
        verification,
        time
    );

    /// <summary>Verifies the token. Never throws for what a caller sent.</summary>
    /// <param name="bearer">The token.</param>
    /// <param name="source">Where it came from; see <see cref="IdentityProof.Bearer"/>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public ValueTask<PersonOutcome> VerifyAsync(
        SecretText bearer,
        string source,
        CancellationToken cancellationToken
    ) =>
        _tokens.VerifyAsync(
            bearer.Reveal(),
            source,
            static outcome => outcome is PersonOutcome.Verified,
            cancellationToken
        );
}
