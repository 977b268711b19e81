namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A hold is placed. From now on no lease that it reaches opens, becomes active or is extended. Guard: fewer than
    /// <see cref="Hold.MaxInForce"/> are in force, or it was promised; a tripwire's is left out instead.
    /// </summary>
    public sealed record HoldPlaced : Transition
    {
        /// <summary>The hold.</summary>
        public required Hold Hold { get; init; }

        /// <summary>
        /// Whether somebody was told that it holds, while the store took nothing: then it is placed however many there
        /// are.
        /// </summary>
        public bool IsPromised { get; init; }

        /// <summary>
        /// The tripwire that places it; null for a person. It places none, and tells nothing, where one of the same
        /// selector is in force, where <see cref="Hold.KeptForPeople"/> are left, or where it is one for denials and its
        /// limit is not broken.
        /// </summary>
        public Tripwire? Tripwire { get; init; }
    }

    /// <summary>A hold is lifted before its time. Guard: it exists and is in force.</summary>
    public sealed record HoldLifted : Transition
    {
        /// <summary>The hold.</summary>
        public required string HoldId { get; init; }

        /// <summary>Who lifts it, as in the audit event's actor.</summary>
        public required string LiftedBy { get; init; }

        /// <summary>Why.</summary>
        public required string Reason { get; init; }
    }
}
