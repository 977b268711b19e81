namespace CredBroker.Core.State;

/// <summary>
/// Reads time boxes. Every member sees what is committed, and nothing else. One whose approval cannot be read is not found:
/// nothing is issued in it.
/// </summary>
public interface ITimeBoxReader
{
    /// <summary>The one that was given with this approval, open or not; or null.</summary>
    ValueTask<TimeBox?> FindAsync(string approvalId, CancellationToken cancellationToken);

    /// <summary>Those of this caller that fix this and are not ended on record, the last to end first; a few at most.</summary>
    ValueTask<IReadOnlyList<TimeBox>> FindOpenAsync(
        string callerKey,
        string digest,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// A page of those that are not ended on record, oldest first, and the number to go on after; null on the last page.
    /// </summary>
    ValueTask<(IReadOnlyList<TimeBox> TimeBoxes, long? Next)> ListOpenAsync(
        long after,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>The approvals of those whose time is over and that are not ended on record, the first to end first.</summary>
    ValueTask<IReadOnlyList<string>> FindDueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>The ids of the leases that were opened in it, the first included; <see cref="TimeBox.MaxUses"/> at most.</summary>
    ValueTask<IReadOnlyList<string>> ListLeasesAsync(string approvalId, CancellationToken cancellationToken);
}
