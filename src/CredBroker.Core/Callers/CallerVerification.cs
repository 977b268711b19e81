using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Callers;

/// <summary>
/// Verifies the agent that makes a call. A proof that does not hold is on record, or counted, before its caller hears of
/// it, whatever the call was.
/// </summary>
public sealed class CallerVerification(IWorkloadVerifier verifier, RefusedCalls refusedCalls)
{
    /// <summary>About what a record has beside what its caller wrote at length.</summary>
    private const int RecordBytes = 1024;

    /// <summary>
    /// Whether a denial of this caller is recorded by itself. Above a rate, or a size, it is counted instead, and told
    /// with the minute's count.
    /// </summary>
    public bool RecordsDenialOf(WorkloadIdentity caller) => refusedCalls.IsRecorded(caller, RecordBytes);

    /// <summary>The same of a denial whose record has all of its decision, and so what the caller asked for.</summary>
    public bool RecordsDenialOf(DecisionRecord decision) =>
        refusedCalls.IsRecorded(
            decision.Identity,
            RecordBytes + JsonSerializer.SerializeToUtf8Bytes(decision, StateJson.Default.DecisionRecord).Length
        );

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
