namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// An order to revoke is given. The store assigns its number, and from now on it is a fence: no lease that it
    /// covers opens for a request that began before it. No guard.
    /// </summary>
    public sealed record RevocationOrdered : Transition
    {
        /// <summary>The order; its fence is ignored.</summary>
        public required RevocationOrder Order { get; init; }

        /// <summary>
        /// The hold, placed before it in one <see cref="All"/>, without which it is not given and tells nothing; null for one
        /// that is given in any case.
        /// </summary>
        public string? OnlyWithHold { get; init; }
    }

    /// <summary>
    /// Every lease that the order reaches has been claimed for it. Guard: the order exists and is open.
    /// </summary>
    public sealed record RevocationEnumerated : Transition
    {
        /// <summary>The order.</summary>
        public required string RevocationId { get; init; }

        /// <summary>What is kept as its <see cref="RevocationOrder.NotSearched"/>.</summary>
        public IReadOnlyList<NotSearched> NotSearched { get; init; } = [];
    }

    /// <summary>
    /// A lease is to be revoked, and a worker takes that on for a while (the step Claim). Guard: pending, active,
    /// revoking or failed, and no running claim of another worker; from active with cause <c>expiry</c> also that its
    /// end is not ahead of the store's clock (it may have been renewed since the sweep read it). The first claim sets
    /// cause, requester and request time; later ones keep them. The event is recorded only by the first. An order of a
    /// person that reaches a lease which is being revoked already has its next attempt come first, once.
    /// </summary>
    public sealed record RevocationClaimed : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>Why.</summary>
        public required RevocationCause Cause { get; init; }

        /// <summary>Who asked.</summary>
        public required string RequestedBy { get; init; }

        /// <summary>The order it belongs to, if any.</summary>
        public required string? RevocationId { get; init; }

        /// <summary>The worker; null only marks the lease as revoking, for a job to take.</summary>
        public required string? ClaimedBy { get; init; }

        /// <summary>When the claim lapses.</summary>
        public required DateTimeOffset? ClaimedUntil { get; init; }

        /// <summary>States it may come from; empty means pending, active, revoking, failed.</summary>
        public required IReadOnlyList<LeaseState> OnlyFrom { get; init; }
    }

    /// <summary>
    /// The accessor of a lease without a Vault lease id was revoked; absence is proven by a later sweep. Guard:
    /// revoking or failed. Clears the claim and sets the next attempt, and keeps an end that is known already.
    /// </summary>
    public sealed record AccessorRevoked : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>When the accessor was revoked for the first time.</summary>
        public required DateTimeOffset RevokedAt { get; init; }

        /// <summary>When a sweep may prove the absence.</summary>
        public required DateTimeOffset NextAttemptAt { get; init; }

        /// <summary>When what may have been made has ended by itself, whatever a sweep finds.</summary>
        public required DateTimeOffset MayExistUntil { get; init; }
    }

    /// <summary>
    /// Vault knows of no secret, and its backend cannot be asked: the lease stays revoking until one could no longer be
    /// used. Guard: revoking or failed. Clears the claim and sets the next attempt.
    /// </summary>
    public sealed record AbsenceAwaited : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>When it is looked at again.</summary>
        public required DateTimeOffset NextAttemptAt { get; init; }
    }

    /// <summary>
    /// Vault confirmed that the secret is gone (the step Settle). Guard: revoking or failed; by a person's word also that
    /// an attempt was made, and that none is under way.
    /// </summary>
    public sealed record LeaseRevoked : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>The person on whose word it rests; empty where Vault or its backend has proven it.</summary>
        public string ConfirmedBy { get; init; } = "";
    }

    /// <summary>
    /// An attempt to revoke was not confirmed (the step Settle). Guard: revoking or failed. Clears the claim. The next is
    /// due at once where an admin's order came while it was under way.
    /// </summary>
    public sealed record RevocationFailed : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>What the attempt failed with; no secret value.</summary>
        public required string Error { get; init; }

        /// <summary>
        /// Whether there was an attempt; false where its backend could not be asked now. Then it is not counted, and the
        /// state stays.
        /// </summary>
        public bool WasTried { get; init; } = true;

        /// <summary>When the next attempt is due; null where it is due as if there had been none.</summary>
        public required DateTimeOffset? NextAttemptAt { get; init; }
    }

    /// <summary>
    /// A lease that nobody can revoke (a KV value) is over. Guard: pending, active, revoking or failed.
    /// </summary>
    public sealed record LeaseEnded : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>Why.</summary>
        public required RevocationCause Cause { get; init; }

        /// <summary>Who asked.</summary>
        public required string RequestedBy { get; init; }

        /// <summary>The order it belongs to, if any.</summary>
        public required string? RevocationId { get; init; }
    }
}
