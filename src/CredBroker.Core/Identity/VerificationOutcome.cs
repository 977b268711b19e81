using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity;

/// <summary>The outcome of verifying an identity proof.</summary>
public abstract record VerificationOutcome
{
    private VerificationOutcome() { }

    /// <summary>The proof holds.</summary>
    public sealed record Verified(WorkloadIdentity Identity) : VerificationOutcome;

    /// <summary>The proof does not hold, or could not be checked.</summary>
    public sealed record Refused(Refusal Refusal) : VerificationOutcome;
}
