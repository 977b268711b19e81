namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A time box ends: nothing more is issued in it. Holds, orders, closed tasks and new epochs end those that they reach
    /// by themselves. Guard: not ended on record yet; and, where it is said to be over, its end is not ahead of the store's
    /// clock.
    /// </summary>
    public sealed record TimeBoxEnded : Transition
    {
        /// <summary>The approval that it was given with.</summary>
        public required string ApprovalId { get; init; }

        /// <summary>What ends it, in one word.</summary>
        public required string Cause { get; init; }

        /// <summary>Whether only where its time is over.</summary>
        public bool OnlyIfOver { get; init; }
    }
}
