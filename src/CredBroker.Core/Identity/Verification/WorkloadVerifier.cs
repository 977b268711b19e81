using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>Turns a workload's proof into its identity.</summary>
public sealed class WorkloadVerifier(TokenRouting routing, TokenVerification verification, TimeProvider time)
    : IWorkloadVerifier
{
    private const int RememberedTokens = 16_384;

    private static readonly VerificationOutcome NotAccepted = new VerificationOutcome.Refused(
        new(
            RefusalCode.ProofMethodNotAccepted,
            "This way of proving an identity is not accepted here yet; send a bearer token that is not bound to a key."
        )
    );

    private readonly VerifiedTokens<VerificationOutcome> _remembered = new(RememberedTokens, time);
    private readonly SignatureRoom _signatures = new();

    /// <inheritdoc/>
    public async ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken) =>
        proof switch
        {
            IdentityProof.Bearer bearer => await VerifyAsync(bearer.Token.Reveal(), bearer.Source, cancellationToken),
            // The token of a key-bound proof is never tried as a bearer's: whoever stole it would be let in.
            IdentityProof.KeyBoundBearer or IdentityProof.Certificate => NotAccepted,
            _ => throw new InvalidOperationException($"Unknown proof {proof.GetType().Name}."),
        };

    /// <summary>
    /// (1) a token that verified before, under the same keys; (2) strict reading; (3) routing: a SPIFFE subject to its
    /// trust domain, else the exact issuer; (4) header, audience, times, keys, signature; (5) claims.
    /// </summary>
    private async ValueTask<VerificationOutcome> VerifyAsync(
        string text,
        string source,
        CancellationToken cancellationToken
    )
    {
        if (text.Length <= CompactJws.MaxLength && _remembered.Find(TokenHash.Of(text)) is { } remembered)
        {
            return remembered;
        }

        if (!CompactJws.TryRead(text, out var token, out var refusal))
        {
            return new VerificationOutcome.Refused(refusal);
        }

        using (token)
        {
            if (!routing.RouteWorkload(token).Passes(out var route, out refusal))
            {
                return new VerificationOutcome.Refused(refusal);
            }

            var check = await verification.VerifyAsync(
                token,
                route.Rules,
                route.Trust,
                _signatures,
                source,
                time.GetUtcNow(),
                cancellationToken
            );
            if (!check.Passes(out var verified, out refusal))
            {
                return new VerificationOutcome.Refused(refusal);
            }

            var outcome = route.Identify(verified);
            if (outcome is VerificationOutcome.Verified)
            {
                _remembered.Remember(outcome, verified, route.Trust);
            }

            return outcome;
        }
    }
}
