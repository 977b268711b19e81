namespace CredBroker.Core.State;

/// <summary>
/// What a lease needs of the rest of the state in order to open, checked and taken in the same transaction that inserts
/// it. A feature that limits issuing adds a member here, and its guard. That no hold in force reaches the lease
/// (<see cref="GuardFailure.Held"/>) is checked with them, and needs nothing to be brought.
/// </summary>
public sealed record Reservations
{
    /// <summary>
    /// The fence noted when the exchange began: no revocation order with a higher one may match the lease
    /// (<see cref="GuardFailure.Revoked"/>).
    /// </summary>
    public required long Fence { get; init; }

    /// <summary>
    /// The store's opening, noted with the fence: the store must not have been reached anew since
    /// (<see cref="GuardFailure.StoreReopened"/>).
    /// </summary>
    public long Opening { get; init; }

    /// <summary>
    /// Who must own the task, which must be open (<see cref="GuardFailure.TaskOwnedByAnother"/>,
    /// <see cref="GuardFailure.TaskClosed"/>); an unknown task is opened for this owner.
    /// </summary>
    public required TaskOwner TaskOwner { get; init; }

    /// <summary>
    /// The caller's idempotency key, if one was given: it must be free or its earlier lease over
    /// (<see cref="GuardFailure.IdempotencyTaken"/>), and is taken.
    /// </summary>
    public IdempotencyClaim? Idempotency { get; init; }

    /// <summary>
    /// The approval that the lease opens on, if it needs one: it must be approved, in time, about exactly this, and not
    /// reached by a revocation order since it was asked (<see cref="GuardFailure.ApprovalNotUsable"/>,
    /// <see cref="GuardFailure.Revoked"/>), and is used up; or its time box must be open and let it be, and counts it.
    /// </summary>
    public ApprovalUse? Approval { get; init; }

    /// <summary>
    /// The limits that have to have room for it (<see cref="GuardFailure.LimitReached"/>) unless people let it pass, of
    /// which a place is taken: until the lease is over, and for as long as a limit of what is issued looks back.
    /// </summary>
    public IReadOnlyList<LimitUse> Limits { get; init; } = [];
}
