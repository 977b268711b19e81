namespace CredBroker.Core.State;

/// <summary>Which guard failed.</summary>
public enum GuardFailure
{
    /// <summary>The row does not exist.</summary>
    NotFound,

    /// <summary>The row's state is not one of those expected, or a running claim holds it.</summary>
    WrongState,

    /// <summary>Another policy version is the newest.</summary>
    PolicyChanged,

    /// <summary>This policy was a version before.</summary>
    PolicyWasVersionBefore,

    /// <summary>A revocation order that matches was committed after the fence.</summary>
    Revoked,

    /// <summary>The store was lost and reached anew since it was noted, and may know less than it did.</summary>
    StoreReopened,

    /// <summary>A hold in force reaches the lease.</summary>
    Held,

    /// <summary>As many holds as there may be are in force.</summary>
    TooManyHolds,

    /// <summary>The task is closed.</summary>
    TaskClosed,

    /// <summary>The task belongs to another workload.</summary>
    TaskOwnedByAnother,

    /// <summary>The idempotency key is in use.</summary>
    IdempotencyTaken,

    /// <summary>A limit of the policy has no room (<see cref="CommitOutcome.GuardFailed.Breach"/>).</summary>
    LimitReached,

    /// <summary>The time for it is over.</summary>
    DeadlinePassed,

    /// <summary>The same caller has an open question about the same.</summary>
    AlreadyAsked,

    /// <summary>As many questions as there may be are open: of this caller, of its workload, or in all.</summary>
    TooManyApprovals,

    /// <summary>The approval is not approved, not in time, used up, or about something else.</summary>
    ApprovalNotUsable,

    /// <summary>The denial that a request is submitted for is not this caller's, not in time, or used up.</summary>
    EvaluationNotUsable,

    /// <summary>As many addresses as may be are told of the question.</summary>
    TooManyCallbacks,

    /// <summary>The person who speaks is gone.</summary>
    OwnerGone,

    /// <summary>As many people as there may be are gone.</summary>
    TooManyOwners,
}
