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

    private readonly BearerTokens<VerificationOutcome> _tokens = new(
        RememberedTokens,
        routing.RouteWorkload,
        refusal => new VerificationOutcome.Refused(refusal),
        verification,
        time
    );

    /// <inheritdoc/>
    public async ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken) =>
        proof switch
        {
            IdentityProof.Bearer bearer => await _tokens.VerifyAsync(
                bearer.Token.Reveal(),
                bearer.Source,
                static outcome => outcome is VerificationOutcome.Verified,
                cancellationToken
            ),
            // The token of a key-bound proof is never tried as a bearer's: whoever stole it would be let in.
            IdentityProof.KeyBoundBearer or IdentityProof.Certificate => NotAccepted,
            _ => throw new InvalidOperationException($"Unknown proof {proof.GetType().Name}."),
        };
}
