using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Bearer tokens of one kind of caller, from text to outcome: (1) a token that verified before, under the same keys; (2)
/// strict reading; (3) routing: a SPIFFE subject to its trust domain, else the exact issuer; (4) header, audience, times,
/// keys, signature; (5) claims. What is remembered, and the room for signatures, are this kind's own.
/// </summary>
/// <param name="capacity">How many tokens are remembered.</param>
/// <param name="route">Where a token leads.</param>
/// <param name="refused">The outcome of a refusal.</param>
/// <param name="verification">What is checked alike for all kinds.</param>
/// <param name="time">The clock.</param>
internal sealed class BearerTokens<TOutcome>(
    int capacity,
    Func<CompactJws, Check<TokenRoute<TOutcome>>> route,
    Func<Refusal, TOutcome> refused,
    TokenVerification verification,
    TimeProvider time
)
    where TOutcome : class
{
    private readonly VerifiedTokens<TOutcome> _remembered = new(capacity, time);
    private readonly SignatureRoom _signatures = new();

    /// <summary>Verifies a token. Never throws for what a caller sent.</summary>
    /// <param name="text">The token.</param>
    /// <param name="source">Where it came from; see <see cref="IdentityProof.Bearer"/>.</param>
    /// <param name="isVerified">Whether an outcome may be remembered.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<TOutcome> VerifyAsync(
        string text,
        string source,
        Func<TOutcome, bool> isVerified,
        CancellationToken cancellationToken
    )
    {
        if (text.Length <= CompactJws.MaxLength && _remembered.Find(TokenHash.Of(text)) is { } remembered)
        {
            return remembered;
        }

        if (!CompactJws.TryRead(text, out var token, out var refusal))
        {
            return refused(refusal);
        }

        using (token)
        {
            if (!route(token).Passes(out var way, out refusal))
            {
                return refused(refusal);
            }

            var check = await verification.VerifyAsync(
                token,
                way.Rules,
                way.Trust,
                _signatures,
                source,
                cancellationToken
            );
            if (!check.Passes(out var verified, out refusal))
            {
                return refused(refusal);
            }

            var outcome = way.Identify(verified);
            if (isVerified(outcome))
            {
                _remembered.Remember(outcome, verified, way.Trust);
            }

            return outcome;
        }
    }
}
