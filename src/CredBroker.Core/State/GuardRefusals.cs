using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Core.State;

/// <summary>
/// What an agent is told when the guard of its change fails. The one table, so that the same guard is the same answer
/// wherever it fails.
/// </summary>
public static class GuardRefusals
{
    private static readonly Refusal PolicyMoves = new(
        RefusalCode.PolicyChanging,
        "Policy is changing. Try again in a moment.",
        TimeSpan.FromSeconds(1)
    );
    private static readonly Refusal Revoked = new(
        RefusalCode.RevokedMeanwhile,
        "A revocation that covers this request was ordered while it was under way."
    );
    private static readonly Refusal Reopened = new(
        RefusalCode.StoreUnavailable,
        "The broker's store was lost and reached anew while this request was under way, and may know less than it did. Try "
            + "again.",
        TimeSpan.FromSeconds(1)
    );
    private static readonly Refusal Held = new(
        RefusalCode.Held,
        "A hold has what this request asks for: nothing is issued or renewed for it until the hold is over. Stop."
    );
    private static readonly Refusal TaskIsClosed = new(
        RefusalCode.TaskClosed,
        "The task is closed. Start a new task under a new id."
    );
    private static readonly Refusal NotYourTask = new(
        RefusalCode.TaskOwnedByAnother,
        "The task id belongs to another workload; only its opener uses it, and only its opener or an admin closes it. "
            + "Use an id of your own."
    );
    private static readonly Refusal InProgress = new(
        RefusalCode.IdempotencyInProgress,
        "The first request with this idempotency key is still under way.",
        TimeSpan.FromSeconds(2)
    );
    private static readonly Refusal TooManyQuestions = new(
        RefusalCode.TooManyApprovals,
        "As many requests as may be are waiting for people. Wait until some are decided, and ask for fewer at a time.",
        TimeSpan.FromSeconds(60)
    );
    private static readonly Refusal NotApproved = new(
        RefusalCode.ApprovalUsed,
        "The approval cannot be used any more: it was used, taken back or its time is over. Ask anew, without approvalId."
    );
    private static readonly Refusal NotTheDenial = new(
        RefusalCode.DenialBindingInvalid,
        "denial names no denial of yours that waits for a request: it was used, its time is over, or it was about "
            + "something else. Evaluate again."
    );
    private static readonly Refusal TooManyCallbacks = new(
        RefusalCode.TooManyApprovals,
        "As many callbacks as may be wait for what becomes of this request. Submit it without callback, and look at its status."
    );
    private static readonly Refusal LimitReached = new(
        RefusalCode.LimitReached,
        "A limit is reached: too much is out at once, or was issued or denied of late. Give back what is not needed, and "
            + "ask again later."
    );
    private static readonly Refusal TooSlow = new(
        RefusalCode.MintOutcomeUnknown,
        "Vault took too long; what it made is not delivered, and is being revoked. Try again.",
        TimeSpan.FromSeconds(5)
    );

    /// <summary>What an agent is told that has reached a limit. Whose limit it is, and how far it goes, it is not told.</summary>
    public static Refusal Of(LimitBreach breach) => LimitReached with { RetryAfter = breach.RetryAfter };

    /// <summary>The refusal for this guard.</summary>
    /// <exception cref="InvalidOperationException">
    /// No agent's change has this guard, so that its failure is a fault of the broker.
    /// </exception>
    public static Refusal Of(GuardFailure failure) =>
        failure switch
        {
            GuardFailure.PolicyChanged => PolicyMoves,
            GuardFailure.Revoked => Revoked,
            GuardFailure.StoreReopened => Reopened,
            GuardFailure.Held => Held,
            // A lease that has left the state in which its issuance left it was taken by a revoker.
            GuardFailure.WrongState or GuardFailure.NotFound => Revoked,
            GuardFailure.TaskClosed => TaskIsClosed,
            GuardFailure.TaskOwnedByAnother => NotYourTask,
            GuardFailure.IdempotencyTaken => InProgress,
            GuardFailure.LimitReached => LimitReached,
            GuardFailure.DeadlinePassed => TooSlow,
            GuardFailure.TooManyApprovals => TooManyQuestions,
            GuardFailure.TooManyCallbacks => TooManyCallbacks,
            GuardFailure.ApprovalNotUsable => NotApproved,
            GuardFailure.EvaluationNotUsable => NotTheDenial,
            // The exchange answers with the question that is open.
            GuardFailure.PolicyWasVersionBefore
            or GuardFailure.TooManyHolds
            or GuardFailure.OwnerGone
            or GuardFailure.TooManyOwners
            or GuardFailure.AlreadyAsked => throw new InvalidOperationException(
                $"No agent's change can fail as {failure}."
            ),
            _ => throw new InvalidOperationException($"The guard {failure} has no refusal."),
        };
}
