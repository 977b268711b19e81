using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Identity;

/// <summary>
/// Verifies a token that has been routed to its rules: everything that is checked alike for workloads and people.
/// </summary>
internal sealed class TokenVerification(TokenSignature signature, TimeProvider time)
{
    /// <summary>
    /// In order: (1) header, audience and times, which cost nothing; (2) the keys, fetched if there are none or the
    /// token names one that is unknown; (3) the signature. The caller then reads the claims.
    /// </summary>
    public async ValueTask<TokenVerdict> VerifyAsync(
        CompactJws token,
        TokenRules rules,
        KeySource source,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        if (rules.CheckBeforeSignature(token, now, out var window) is { } refusal)
        {
            return new(refusal);
        }

        var keys = source.Current ?? await source.NewerThanAsync(null, cancellationToken);
        if (keys is null)
        {
            return new(
                new Refusal(
                    RefusalCode.KeysUnavailable,
                    "The keys of the token's issuer cannot be had at the moment.",
                    source.RetryAfter
                )
            );
        }

        var candidates = keys.Candidates(token.KeyId, token.Algorithm);
        if (candidates.Count == 0 && await source.NewerThanAsync(keys, cancellationToken) is { } newer)
        {
            keys = newer;
            candidates = keys.Candidates(token.KeyId, token.Algorithm);
        }

        if (candidates.Count == 0)
        {
            return new(
                new Refusal(
                    RefusalCode.KeyUnknown,
                    "None of the issuer's keys fits the token's 'kid' and 'alg'.",
                    source.RetryAfter
                )
            );
        }

        return await signature.VerifyAsync(token, rules, window, candidates, now) is { } invalid
            ? new(invalid)
            : new(null, window, keys);
    }
}
