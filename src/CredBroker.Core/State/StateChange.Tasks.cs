namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A task is closed. What was issued for it is revoked by a <see cref="RevocationOrdered"/> that commits with it in
    /// one <see cref="All"/>, so that a crash cannot separate the two. Guard: known (else see <see cref="TaskBarred"/>),
    /// open, and owned by <see cref="Owner"/>.
    /// </summary>
    public sealed record TaskClosed : Transition
    {
        /// <summary>The business process.</summary>
        public required string Process { get; init; }

        /// <summary>The task's id.</summary>
        public required string TaskId { get; init; }

        /// <summary>Who must own it; null lets an admin close anybody's.</summary>
        public required TaskOwner? Owner { get; init; }

        /// <summary>Who closes it, as in the audit event's actor.</summary>
        public required string ClosedBy { get; init; }
    }

    /// <summary>
    /// A task that nothing was ever issued for is entered as closed, so that its id is never used. There is nothing to
    /// revoke, and so no order. Guard: unknown.
    /// </summary>
    public sealed record TaskBarred : Transition
    {
        /// <summary>The business process.</summary>
        public required string Process { get; init; }

        /// <summary>The task's id.</summary>
        public required string TaskId { get; init; }

        /// <summary>Who owns it from now on; null for an admin, who owns none.</summary>
        public required TaskOwner? Owner { get; init; }

        /// <summary>Who closes it, as in the audit event's actor.</summary>
        public required string ClosedBy { get; init; }
    }
}
