namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// Open, a step of an exchange. Guards: policy version unchanged, and everything that <see cref="Reservations"/> say.
    /// Where the event brings no details, the store writes the decision record, which it has serialized for its own
    /// row, as the event's details.
    /// </summary>
    public sealed record LeaseOpened : Transition
    {
        /// <summary>The lease as pending.</summary>
        public required Lease Lease { get; init; }

        /// <summary>What it needs of the rest of the state.</summary>
        public required Reservations Reservations { get; init; }
    }

    /// <summary>Activate, a step of an exchange. Guard: pending and the issuance deadline is ahead of the store's clock.</summary>
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
    /// The exchange could not activate the lease: the handles of the secret that was made all the same are stored, whatever the state.
    /// Guard: the lease exists.
    /// </summary>
    public sealed record HandlesRecorded : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>What names its secret in Vault.</summary>
        public required SecretHandles Handles { get; init; }
    }

    /// <summary>
    /// A renewal. Guards: active, not yet expired, policy version unchanged, no matching revocation order above
    /// <see cref="Fence"/>.
    /// </summary>
    public sealed record LeaseRenewed : Transition
    {
        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>The fence noted before it was decided.</summary>
        public required long Fence { get; init; }

        /// <summary>The policy version that it was decided under.</summary>
        public required long PolicyVersion { get; init; }

        /// <summary>When the secret ends now.</summary>
        public required DateTimeOffset ExpiresAt { get; init; }

        /// <summary>Until when the backend may accept it if Vault cannot be reached.</summary>
        public required DateTimeOffset GraceUntil { get; init; }
    }

    /// <summary>
    /// A verified caller was denied; the record is kept as a lease's is, and stands in the event as with
    /// <see cref="LeaseOpened"/>. No guard.
    /// </summary>
    public sealed record RequestDenied : Transition
    {
        /// <summary>What the denial was made from.</summary>
        public required DecisionRecord Decision { get; init; }
    }
}
