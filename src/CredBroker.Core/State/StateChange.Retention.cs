using CredBroker.Core.Audit;

namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// The beginning of the log is in a file, and may be deleted here. Guards: the log has the archive's last record
    /// with this hash, and up to there as many records as the archive; nothing that was archived reaches as far, or is
    /// in the store still.
    /// </summary>
    public sealed record AuditArchived : Transition
    {
        /// <summary>What was archived.</summary>
        public required AuditArchive Archive { get; init; }
    }

    /// <summary>
    /// Records that are archived leave the store, the oldest first. It has no event: <see cref="AuditArchived"/> has told
    /// it. Its number is how many rows are gone. Guard: the newest archive is this one.
    /// </summary>
    public sealed record ArchivedDeleted : Transition
    {
        /// <summary>The end of the archive that they are in, which was verified.</summary>
        public required AuditPosition End { get; init; }

        /// <summary>How many at most.</summary>
        public required int Limit { get; init; }
    }
}
