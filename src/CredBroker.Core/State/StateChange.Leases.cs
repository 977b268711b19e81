namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A lease opens as pending, before its secret exists (the exchange's step Open). Guards: policy version unchanged,
    /// and everything that <see cref="Reservations"/> say.
    /// The event is <c>request.allowed</c>, names lease and decision and brings no details: the store writes the decision
    /// record as its details, and nowhere else.
    /// </summary>
    public sealed record LeaseOpened : Transition
    {
        /// <summary>The lease as pending.</summary>
        public required Lease Lease { get; init; }

        /// <summary>What it needs of the rest of the state.</summary>
        public required Reservations Reservations { get; init; }
    }

    /// <summary>
    /// A pending lease becomes active, now that its secret exists (the exchange's step Activate). Guards: pending, the
    /// issuance deadline is ahead of the store's clock, and no hold in force reaches it: one that was placed while the
    /// secret was being made keeps it from being delivered.
    /// </summary>
    public sealed record LeaseActivated : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>What names its secret in Vault.</summary>
        public required SecretHandles Handles { get; init; }

        /// <summary>When the secret ends.</summary>
        public required DateTimeOffset ExpiresAt { get; init; }

        /// <summary>Until when the backend may accept it if Vault cannot be reached.</summary>
        public required DateTimeOffset GraceUntil { get; init; }
    }

    /// <summary>
    /// The handles of a secret that was made and could not be activated are stored, so that it can be revoked. Guard:
    /// the lease is not over; where it is, see <see cref="LateLeaseOpened"/>.
    /// </summary>
    public sealed record HandlesRecorded : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>What names its secret in Vault.</summary>
        public required SecretHandles Handles { get; init; }
    }

    /// <summary>
    /// A secret came to be after its lease was over. What was confirmed stays confirmed, and the secret gets a lease of
    /// its own, revoking from the start, which every order that reached the first one waits for. Guard: the first one is
    /// over.
    /// </summary>
    public sealed record LateLeaseOpened : Transition
    {
        /// <summary>The new lease's id.</summary>
        public required string LeaseId { get; init; }

        /// <summary>The lease that was over; decision, accessor, times and order are as its own.</summary>
        public required string LateFor { get; init; }

        /// <summary>What names the secret in Vault.</summary>
        public required SecretHandles Handles { get; init; }

        /// <summary>Why it is revoked.</summary>
        public required RevocationCause Cause { get; init; }

        /// <summary>Who asks.</summary>
        public required string RequestedBy { get; init; }
    }

    /// <summary>
    /// A renewal, or an end that is brought forward. Guards: active, not yet expired, policy version unchanged, no
    /// matching revocation order above <see cref="Fence"/>, and, where the end moves away, no hold in force that
    /// reaches the lease.
    /// </summary>
    public sealed record LeaseRenewed : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>The fence noted before it was decided.</summary>
        public required long Fence { get; init; }

        /// <summary>The store's opening, noted with it: the store must not have been reached anew since.</summary>
        public long Opening { get; init; }

        /// <summary>The policy version that it was decided under.</summary>
        public required long PolicyVersion { get; init; }

        /// <summary>
        /// What a renewal was decided from: an order or a hold that reaches it refuses, too, as policy may name its agent
        /// otherwise than when the lease was issued. Null where nobody asked for one.
        /// </summary>
        public DecisionRecord? Decision { get; init; }

        /// <summary>When the secret ends now.</summary>
        public required DateTimeOffset ExpiresAt { get; init; }

        /// <summary>Until when the backend may accept it if Vault cannot be reached.</summary>
        public required DateTimeOffset GraceUntil { get; init; }
    }

    /// <summary>
    /// A verified caller was denied; the record stands in the event as with <see cref="LeaseOpened"/>, and nowhere else.
    /// No guard.
    /// </summary>
    public sealed record RequestDenied : Transition
    {
        /// <summary>What the denial was made from.</summary>
        public required DecisionRecord Decision { get; init; }
    }
}
