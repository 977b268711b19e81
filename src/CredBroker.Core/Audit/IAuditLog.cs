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

/// <summary>A stored record.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Sequence">Its place in the stream.</param>
/// <param name="Previous">The hash of the record before it; 64 zeros for the first.</param>
/// <param name="Bytes">
/// One line of JSON in UTF-8, without the line feed. Its SHA-256 is the next record's <c>previous</c>.
/// </param>
public sealed record AuditRecord(string Stream, long Sequence, string Previous, ReadOnlyMemory<byte> Bytes);

/// <summary>Where an export goes on: after this record.</summary>
public sealed record AuditCursor(string Stream, long Sequence)
{
    /// <summary><c>stream:sequence</c>.</summary>
    public override string ToString() => $"{Stream}:{Sequence}";

    /// <summary>Reads <c>stream:sequence</c>.</summary>
    public static bool TryParse(string? text, out AuditCursor? cursor)
    {
        cursor = null;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (
            colon < 0
            || !Ids.IsValid(text![..colon])
            || !long.TryParse(
                text.AsSpan(colon + 1),
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out var sequence
            )
        )
        {
            return false;
        }

        cursor = new(text[..colon], sequence);
        return true;
    }
}
