using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// The way of a token of one kind of caller: (1) a token that verified before, under the same keys; (2) strict reading;
/// (3) routing: a SPIFFE subject to its trust domain, else the exact issuer; (4) header, audience, times, keys, signature;
/// (5) claims. Each kind has its own, so that no flood of the others' tokens keeps it waiting.
/// </summary>
/// <param name="verification">Checks what all tokens have in common.</param>
/// <param name="remembered">How many verified tokens are remembered.</param>
/// <param name="memory">For how long.</param>
/// <param name="route">Finds the rules of a token.</param>
/// <param name="refuse">What a refusal is to this kind of caller.</param>
/// <param name="isVerified">Whether the token stands for somebody.</param>
internal sealed class TokenPath<TOutcome>(
    TokenVerification verification,
    int remembered,
    TokenMemory memory,
    Func<CompactJws, Check<TokenRoute<TOutcome>>> route,
    Func<Refusal, TOutcome> refuse,
    Func<TOutcome, bool> isVerified
)
    where TOutcome : class
{
    private readonly VerifiedTokens<TOutcome> _remembered = new(remembered, memory);
    private readonly SignatureRoom _signatures = new();

    /// <summary>Verifies the token. Never throws for what a caller sent.</summary>
    /// <param name="text">The token.</param>
    /// <param name="source">Where it came from; see <see cref="IdentityProof.Bearer"/>.</param>
    /// <param name="now">The time by which it is judged.</param>
    /// <param name="orNow">Another one: a token that is in time by it alone is taken, too.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async ValueTask<TOutcome> VerifyAsync(
        string text,
        string source,
        DateTimeOffset now,
        DateTimeOffset? orNow,
        CancellationToken cancellationToken
    )
    {
        var round = _remembered.Round;
        if (text.Length <= CompactJws.MaxLength && _remembered.Find(TokenHash.Of(text), now) is { } known)
        {
            return known;
        }

        if (!CompactJws.TryRead(text, out var token, out var refusal))
        {
            return refuse(refusal);
        }

        using (token)
        {
            if (!route(token).Passes(out var found, out refusal))
            {
                return refuse(refusal);
            }

            var check = await CheckAsync(now);
            if (
                check
                    is Check<VerifiedToken>.Refused
                    {
                        Refusal.Code: RefusalCode.TokenExpired or RefusalCode.TokenNotYetValid
                    }
                && orNow is { } other
            )
            {
                check = await CheckAsync(other);
            }

            if (!check.Passes(out var verified, out refusal))
            {
                return refuse(refusal);
            }

            var outcome = found.Identify(verified);
            if (isVerified(outcome))
            {
                _remembered.Remember(outcome, verified, found.Trust, round);
            }

            return outcome;

            ValueTask<Check<VerifiedToken>> CheckAsync(DateTimeOffset at) =>
                verification.VerifyAsync(token, found.Rules, found.Trust, _signatures, source, at, cancellationToken);
        }
    }
}
