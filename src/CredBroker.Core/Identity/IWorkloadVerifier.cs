using CredBroker.Core.Identity.Verification;

namespace CredBroker.Core.Identity;

/// <summary>
/// Turns an identity proof into a verified workload identity: the first step of everything that an agent asks for.
/// </summary>
/// <remarks>
/// The product has one, <see cref="WorkloadVerifier"/>. It is an interface so that an exchange can be tried
/// with callers of a test's own, and with a verifier that fails.
/// </remarks>
public interface IWorkloadVerifier
{
    /// <summary>
    /// Verifies the proof against the configured issuers and trust domains. Never throws for what a caller sent.
    /// </summary>
    ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken);
}
