using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Turns a person's bearer token into that person. Only tokens of issuers that are trusted for people count.
/// </summary>
/// <remarks>
/// While the broker's clock and its store's disagree, one of them is wrong, and nothing is issued. For what takes secrets
/// away, and for the repair of the clock, a token that is in time by either is taken then, so that none of these is
/// refused for a clock's sake. What gives something back is the broker's clock's alone to judge. The store's is not asked
/// where it only knows how late it was when it was last open: that would make every token of that time new.
/// </remarks>
/// <param name="routing">Finds the issuer.</param>
/// <param name="verification">Checks the token.</param>
/// <param name="time">The broker's clock.</param>
/// <param name="storeTime">The store's; null while it says nothing of now.</param>
public sealed class PeopleVerifier(
    TokenRouting routing,
    TokenVerification verification,
    TimeProvider time,
    Func<DateTimeOffset?> storeTime
)
{
    private const int RememberedTokens = 2_048;

    private readonly VerifiedTokens<PersonOutcome> _remembered = new(RememberedTokens, time);

    // People's own, so that no flood of agents' tokens keeps an admin waiting.
    private readonly SignatureRoom _signatures = new();

    /// <summary>Verifies the token. Never throws for what a caller sent.</summary>
    /// <param name="bearer">The token.</param>
    /// <param name="source">Where it came from; see <see cref="IdentityProof.Bearer"/>.</param>
    /// <param name="byEitherClock">Whether a token is taken that is in time by the store's clock alone.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<PersonOutcome> VerifyAsync(
        SecretText bearer,
        string source,
        bool byEitherClock,
        CancellationToken cancellationToken
    )
    {
        var text = bearer.Reveal();
        if (text.Length <= CompactJws.MaxLength && _remembered.Find(TokenHash.Of(text)) is { } remembered)
        {
            return remembered;
        }

        if (!CompactJws.TryRead(text, out var token, out var refusal))
        {
            return new PersonOutcome.Refused(refusal);
        }

        using (token)
        {
            if (!routing.RoutePerson(token).Passes(out var route, out refusal))
            {
                return new PersonOutcome.Refused(refusal);
            }

            var check = await CheckAsync(time.GetUtcNow());
            if (
                byEitherClock
                && check
                    is Check<VerifiedToken>.Refused
                    {
                        Refusal.Code: RefusalCode.TokenExpired or RefusalCode.TokenNotYetValid
                    }
                && storeTime() is { } storeNow
            )
            {
                check = await CheckAsync(storeNow);
            }

            if (!check.Passes(out var verified, out refusal))
            {
                return new PersonOutcome.Refused(refusal);
            }

            var outcome = route.Identify(verified);
            if (outcome is PersonOutcome.Verified)
            {
                _remembered.Remember(outcome, verified, route.Trust);
            }

            return outcome;

            ValueTask<Check<VerifiedToken>> CheckAsync(DateTimeOffset now) =>
                verification.VerifyAsync(token, route.Rules, route.Trust, _signatures, source, now, cancellationToken);
        }
    }
}
