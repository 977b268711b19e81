namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A hold is placed. From now on no lease that it reaches opens, becomes active or is extended. Guard: fewer than
    /// <see cref="Hold.MaxInForce"/> are in force, or it was promised.
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
