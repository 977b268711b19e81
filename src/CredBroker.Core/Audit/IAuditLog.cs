namespace CredBroker.Core.Audit;

/// <summary>Seam: reads the append-only audit log. The stored bytes are the record; nothing is re-serialized.</summary>
public interface IAuditLog
{
    /// <summary>
    /// Raised for each event that this process puts on record, once it is durable, by whoever had it committed: for the
    /// console and for counters. Nothing is decided by it. Whoever hears it returns at once and throws nothing.
    /// </summary>
    event Action<AuditEvent>? Recorded
    {
        add { }
        remove { }
    }

    /// <summary>
    /// Records with <paramref name="from"/> ≤ time &lt; <paramref name="to"/> after the cursor, ordered by (stream,
    /// sequence). Everything that was given a time before the call is in it, so that the next range may begin where
    /// this one ends.
    /// </summary>
    IAsyncEnumerable<AuditRecord> ReadAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        CancellationToken cancellationToken
    );

    /// <summary>The newest archive, after whose end the log begins; null where nothing was archived.</summary>
    ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The longest beginning of the log of which every record, and none that stands after it, is older than a time: the
    /// one given, or an earlier one where the clock was set back or it would be longer than the limit. Null where there is
    /// none.
    /// </summary>
    /// <param name="before">The time.</param>
    /// <param name="limit">
    /// The most records that it has, unless more of them have one time, or the clock was set back in them.
    /// </param>
    /// <param name="cancellationToken">Stops reading.</param>
    ValueTask<AuditPrefix?> PrefixAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken);
}
