using CredBroker.Core.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Turns a person's bearer token into that person. Only tokens of issuers that are trusted for people count.
/// </summary>
/// <remarks>
/// While the broker's clock and its store's disagree, one of them is wrong, and nothing is issued. What is called then
/// says by which of them the token is judged (<see cref="PersonClock"/>). The store's is not asked where it only knows how
/// late it was when it was last open: that would make every token of that time new.
/// </remarks>
/// <param name="routing">Finds the issuer.</param>
/// <param name="verification">Checks the token.</param>
/// <param name="memory">For how long one that verified is remembered.</param>
/// <param name="time">The broker's clock.</param>
/// <param name="storeTime">The store's; null while it says nothing of now.</param>
public sealed class PeopleVerifier(
    TokenRouting routing,
    TokenVerification verification,
    TokenMemory memory,
    TimeProvider time,
    Func<DateTimeOffset?> storeTime
)
{
    private readonly TokenPath<PersonOutcome> _path = new(
        verification,
        remembered: 2_048,
        memory,
        routing.RoutePerson,
        static refusal => new PersonOutcome.Refused(refusal),
        static outcome => outcome is PersonOutcome.Verified
    );

    /// <summary>Verifies the token. Never throws for what a caller sent.</summary>
    /// <param name="bearer">The token.</param>
    /// <param name="source">Where it came from; see <see cref="IdentityProof.Bearer"/>.</param>
    /// <param name="by">By which clock it is judged.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public ValueTask<PersonOutcome> VerifyAsync(
        SecretText bearer,
        string source,
        PersonClock by,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var stored = storeTime() ?? now;
        var (judgedAt, orAt) = by switch
        {
            PersonClock.Either => (now, stored),
            PersonClock.Later => (stored > now ? stored : now, default(DateTimeOffset?)),
            _ => (now, null),
        };
        return _path.VerifyAsync(bearer.Reveal(), source, judgedAt, orAt, cancellationToken);
    }
}
