using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Verifies a token that has been routed to its rules: everything that is checked alike for workloads and people.
/// </summary>
public sealed class TokenVerification
{
    private static readonly Refusal TooMany = new(
        RefusalCode.Overloaded,
        "Too many tokens from where this one comes wait for their signatures to be checked.",
        TimeSpan.FromSeconds(1)
    );

    private readonly TokenSignature _signature = new();

    /// <summary>
    /// In order: (1) header, audience and times, which cost nothing; (2) the keys, asked for again if there are none or
    /// the token names one that is unknown; (3) the signature; (4) once more with newer keys, if there are any: an issuer
    /// may replace a key under the same <c>kid</c>, or name none.
    /// </summary>
    internal async ValueTask<Check<VerifiedToken>> VerifyAsync(
        CompactJws token,
        TokenRules rules,
        ITrustSource trust,
        SignatureRoom room,
        string source,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (!rules.CheckBeforeSignature(token, now).Passes(out var window, out var refusal))
        {
            return refusal;
        }

        var anchors = trust.Current ?? await trust.NewerThanAsync(null, cancellationToken);
        if (anchors is null)
        {
            return new Refusal(
                RefusalCode.KeysUnavailable,
                "The keys of the token's issuer cannot be had at the moment.",
                trust.RetryAfter
            );
        }

        if (!anchors.CanVerify(token) && await trust.NewerThanAsync(anchors, cancellationToken) is { } newer)
        {
            anchors = newer;
        }

        if (!anchors.CanVerify(token))
        {
            return new Refusal(
                RefusalCode.KeyUnknown,
                "None of the issuer's keys fits the token's 'kid' and 'alg'.",
                trust.RetryAfter
            );
        }

        var check = await CheckAsync(anchors);
        return
            check is Check<VerifiedToken>.Refused { Refusal.Code: RefusalCode.SignatureInvalid }
            && await trust.NewerThanAsync(anchors, cancellationToken) is { } replaced
            && replaced.CanVerify(token)
            ? await CheckAsync(replaced)
            : check;

        // No place is held while keys are fetched.
        async ValueTask<Check<VerifiedToken>> CheckAsync(TrustAnchors with)
        {
            if (!await room.EnterAsync(source, token.Text.Length, cancellationToken))
            {
                return TooMany;
            }

            try
            {
                return await _signature.VerifyAsync(token, rules, window, with, now);
            }
            finally
            {
                room.Leave(source);
            }
        }
    }
}
