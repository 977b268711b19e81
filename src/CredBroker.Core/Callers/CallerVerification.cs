using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Callers;

/// <summary>
/// Verifies the agent that makes a call. A proof that does not hold is on record, or counted, before its caller hears of
/// it, whatever the call was.
/// </summary>
public sealed class CallerVerification(IWorkloadVerifier verifier, RefusedCalls refusedCalls)
{
    /// <summary>
    /// Whether a denial of this caller is recorded by itself. Above a rate it is counted instead, and told with the
    /// minute's count.
    /// </summary>
    public bool RecordsDenialOf(WorkloadIdentity caller) => refusedCalls.IsRecorded(caller);

    /// <summary>The identity that the proof proves, or why it proves none.</summary>
    public async ValueTask<VerificationOutcome> VerifyAsync(
        IdentityProof proof,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var outcome = await verifier.VerifyAsync(proof, cancellationToken);
        if (outcome is VerificationOutcome.Refused { Refusal: var refusal })
        {
            // A caller that hangs up must not keep its refusal off the record.
            await refusedCalls.RecordAsync(refusal, call, CancellationToken.None);
        }

        return outcome;
    }
}
