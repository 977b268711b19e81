using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Denials that people could be asked about, and what is submitted for them: AuthZEN's way to the same questions that
/// <see cref="ApprovalRequests"/> asks. A denial is bound to the caller and its key, to what was asked, to the policy that
/// denied and to an end, and it is good for one question.
/// </summary>
public sealed class AccessRequests(IBrokerStore store, ApprovalRequests approvals, TimeProvider time)
{
    /// <summary>How long a request can be submitted for a denial.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    // After a question's end at the latest it is over; a delayed retry still finds it for a day.
    private static readonly TimeSpan KeyLife = TimeSpan.FromHours(24);

    // Each is a commit: an agent that asks without end is told its denials, and not that it may request.
    private readonly CallerBudget _notes = new(60, time);

    private static readonly Refusal Expired = new(
        RefusalCode.DenialExpired,
        "The time to submit a request for this denial is over. Evaluate again."
    );
    private static readonly Refusal Reused = new(
        RefusalCode.IdempotencyKeyReused,
        "This Idempotency-Key was used with another body. Use a new key for a new request."
    );
    private static readonly Refusal TaskExpired = new(
        RefusalCode.ApprovalExpired,
        "The task's time is over. Evaluate again."
    );
    private static readonly Refusal Lost = new(
        RefusalCode.ApprovalNotFound,
        "The request that was submitted under this key is gone. Evaluate again, and use a new key."
    );

    /// <summary>
    /// Remembers the denial, or says by null that it is not requestable: there is no room, or the store takes nothing.
    /// </summary>
    public async ValueTask<AccessEvaluation?> NoteAsync(
        WorkloadIdentity identity,
        string binding,
        ActivePolicy policy,
        CancellationToken cancellationToken
    )
    {
        if (store.Fault is not null || _notes.Take(identity) is not null)
        {
            return null;
        }

        var now = store.Position.Counted;
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
        var evaluation = new AccessEvaluation
        {
            Id = Approval.NewId(),
            CallerKey = Approval.CallerKeyOf(identity),
            Binding = binding,
            PolicyVersion = policy.Version,
            At = now,
            ExpiresAt = now + Life,
        };
        try
        {
            var outcome = await store.CommitAsync(
                new StateChange.All([
                    new StateChange.EvaluationNoted
                    {
                        Evaluation = evaluation,
                        WorkloadKey = TextDigest.Of(identity.Issuer, identity.Workload),
                        Event = null,
                    },
                ]),
                cancellationToken
            );
            return outcome is CommitOutcome.Committed ? evaluation : null;
        }
        catch (StoreUnavailableException)
        {
            // The denial stands by itself; that it cannot be requested now is all that this says.
            return null;
        }
    }

    /// <summary>
    /// Whether the submission is bound to a denial that this policy version made: the change that uses the denial up, of
    /// which only the question is still to be named. Or the question that the same submission has led to before.
    /// </summary>
    public async ValueTask<AccessCheck> CheckAsync(
        WorkloadIdentity identity,
        AccessSubmission submission,
        long policyVersion,
        CancellationToken cancellationToken
    )
    {
        var caller = Approval.CallerKeyOf(identity);
        var key = submission.IdempotencyKey is { } given ? TextDigest.Of(given) : null;
        if (
            key is not null
            && await store.Approvals.FindSubmittedAsync(caller, key, cancellationToken)
                is { ApprovalId: { } earlier } used
        )
        {
            if (used.BodyDigest != submission.BodyDigest)
            {
                return new(null, null, Reused);
            }

            return await store.Approvals.FindAsync(earlier, cancellationToken) switch
            {
                null => new(null, null, Lost),
                { } asked when asked.ExpiresAt <= store.Position.Counted => new(null, null, TaskExpired),
                { } asked => new(asked, null, null),
            };
        }

        // What is noted says the same, or the two differ; and it may be gone by now.
        if (submission.ExpiresAt <= store.Position.Counted)
        {
            return new(null, null, Expired);
        }

        if (
            !Ids.IsValid(submission.EvaluationId)
            || await store.Approvals.FindEvaluationAsync(submission.EvaluationId, cancellationToken)
                is not { ApprovalId: null } evaluation
            || evaluation.CallerKey != caller
            || evaluation.Binding != submission.Binding
            || evaluation.ExpiresAt != submission.ExpiresAt
        )
        {
            return new(null, null, GuardRefusals.Of(GuardFailure.EvaluationNotUsable));
        }

        return evaluation.PolicyVersion != policyVersion
            ? new(null, null, GuardRefusals.Of(GuardFailure.EvaluationNotUsable))
            : new(
                null,
                approval =>
                    new()
                    {
                        EvaluationId = evaluation.Id,
                        CallerKey = caller,
                        ApprovalId = approval.Id,
                        KeyDigest = key,
                        BodyDigest = submission.BodyDigest,
                        Callback = submission.Callback,
                        // Without a key nothing finds it again.
                        KeptUntil = key is null ? evaluation.ExpiresAt : approval.ExpiresAt + KeyLife,
                        Event = null,
                    },
                null
            );
    }

    /// <summary>Where the caller's question stands; a refusal once its time is over, whatever became of it.</summary>
    public async ValueTask<Checked<ApprovalStatus>> FindAsync(
        IdentityProof proof,
        string approvalId,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var found = await approvals.FindAsync(proof, approvalId, TimeSpan.Zero, call, cancellationToken);
        return found.Passes(out var status, out _) && status.Approval.ExpiresAt <= store.Position.Counted
            ? TaskExpired
            : found;
    }

    /// <summary>
    /// What the decision is with the approval that the caller presents: an allow that stands on it, or why it does not
    /// apply. Only to who asked, only about exactly the same, only as it stands now; nothing is used up.
    /// </summary>
    public async ValueTask<DecisionRecord> ReevaluateAsync(
        DecisionRecord decision,
        string approvalId,
        ActivePolicy policy,
        CancellationToken cancellationToken
    )
    {
        if (
            !Ids.IsValid(approvalId)
            || await store.Approvals.FindAsync(approvalId, cancellationToken) is not { } approval
            || approval.CallerKey != Approval.CallerKeyOf(decision.Identity)
        )
        {
            return ApprovalRequests.Refused(decision, ApprovalRequests.NotFound);
        }

        var orders =
            store.Position.Fence > approval.Fence
                ? await store.Revocations.ListSelectorsAsync(approval.Fence, cancellationToken)
                : [];
        if (orders.Any(order => order.Selector?.Matches(approval.Decision, "") is not false))
        {
            return ApprovalRequests.Refused(decision, GuardRefusals.Of(GuardFailure.ApprovalNotUsable));
        }

        return (await approvals.RedeemAsync(approvalId, decision, policy, cancellationToken)).Decision;
    }
}

/// <summary>What a submission is bound to: one of the three is there.</summary>
/// <param name="Earlier">The question that the same submission has led to before.</param>
/// <param name="Use">Uses the denial up for a question.</param>
/// <param name="Refusal">Why it is bound to nothing.</param>
public sealed record AccessCheck(Approval? Earlier, Func<Approval, StateChange.EvaluationUsed>? Use, Refusal? Refusal);
