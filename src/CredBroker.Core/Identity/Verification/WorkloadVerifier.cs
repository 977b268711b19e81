using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>Turns a workload's proof into its identity.</summary>
public sealed class WorkloadVerifier(
    TokenRouting routing,
    TokenVerification verification,
    TokenMemory memory,
    TimeProvider time
) : IWorkloadVerifier
{
    private static readonly VerificationOutcome NotAccepted = new VerificationOutcome.Refused(
        new(
            RefusalCode.ProofMethodNotAccepted,
            "This way of proving an identity is not accepted here yet; send a bearer token that is not bound to a key."
        )
    );

    private readonly TokenPath<VerificationOutcome> _path = new(
        verification,
        remembered: 16_384,
        memory,
        routing.RouteWorkload,
        static refusal => new VerificationOutcome.Refused(refusal),
        static outcome => outcome is VerificationOutcome.Verified
    );

    /// <inheritdoc/>
    public async ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken) =>
        proof switch
        {
            IdentityProof.Bearer bearer => await _path.VerifyAsync(
                bearer.Token.Reveal(),
                bearer.Source,
                time.GetUtcNow(),
                orNow: null,
                cancellationToken
            ),
            // The token of a key-bound proof is never tried as a bearer's: whoever stole it would be let in.
            IdentityProof.KeyBoundBearer or IdentityProof.Certificate => NotAccepted,
            _ => throw new InvalidOperationException($"Unknown proof {proof.GetType().Name}."),
        };
}
