namespace CredBroker.Core.Identity;

/// <summary>Seam: turns an identity proof into a verified workload identity.</summary>
public interface IWorkloadVerifier
{
    /// <summary>
    /// Verifies the proof against the configured issuers and trust domains. Never throws for what a caller sent.
    /// </summary>
    ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken);
}
