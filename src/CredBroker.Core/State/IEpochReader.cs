using CredBroker.Core.Audit;

namespace CredBroker.Core.State;

/// <summary>Reads what the store is compared by with its anchor.</summary>
public interface IEpochReader
{
    /// <summary>
    /// Another number whenever the store was opened anew (a connection that was lost may lead to another server then): what
    /// was found out before says nothing of it. No I/O.
    /// </summary>
    long Opening { get; }

    /// <summary>The epoch, and the newest records, all as of one moment.</summary>
    ValueTask<StoreEpoch> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Whether exactly this record is, or was until it was archived, in the audit log.</summary>
    ValueTask<bool> HasAsync(AuditPosition record, CancellationToken cancellationToken);
}

/// <summary>How far the store has come.</summary>
/// <param name="Number">The epoch: 1, and one more whenever an admin accepts a store that had gone back.</param>
/// <param name="Anchored">The newest anchor that is known to be in Vault, by its serial; 0 for none in this epoch.</param>
/// <param name="Heads">The newest records of the newest streams, oldest stream first.</param>
public sealed record StoreEpoch(long Number, long Anchored, IReadOnlyList<AuditPosition> Heads);
