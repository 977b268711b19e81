using CredBroker.Core.Text;

namespace CredBroker.Core.Audit;

/// <summary>Seam: reads the append-only audit log. The stored bytes are the record; nothing is re-serialized.</summary>
public interface IAuditLog
{
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
}
