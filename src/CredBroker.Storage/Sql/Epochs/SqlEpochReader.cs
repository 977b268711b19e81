using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Storage.Sql.Audit;

namespace CredBroker.Storage.Sql.Epochs;

/// <inheritdoc cref="IEpochReader"/>
/// <param name="reads">The database.</param>
/// <param name="audit">Its audit log.</param>
/// <param name="opening">How often it was opened.</param>
internal sealed class SqlEpochReader(SqlReads reads, SqlAuditReader audit, Func<long> opening) : IEpochReader
{
    /// <summary>More streams than there are brokers on one store: those that are still written to are among them.</summary>
    private const int Streams = 32;

    public long Opening => opening();

    public async ValueTask<StoreEpoch> ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await reads.AllAsync<(long Epoch, long Anchored, string Stream, long Sequence, byte[] Bytes)>(
            """
            SELECT e.epoch, e.anchored, s.id, r.sequence, r.bytes
            FROM store e
            JOIN audit_stream s ON s.number IN (SELECT number FROM audit_stream ORDER BY number DESC LIMIT @streams)
            JOIN audit_record r ON r.stream = s.number
              AND r.sequence = (SELECT max(n.sequence) FROM audit_record n WHERE n.stream = s.number)
            ORDER BY s.number
            """,
            new { streams = Streams },
            cancellationToken
        );
        return rows is [var first, ..]
            ? new(
                first.Epoch,
                first.Anchored,
                [.. rows.Select(row => new AuditPosition(row.Stream, row.Sequence, AuditRecordWriter.Hash(row.Bytes)))]
            )
            : throw new StoreUnavailableException("The store's audit log has no record.");
    }

    public async ValueTask<bool> HasAsync(AuditPosition record, CancellationToken cancellationToken)
    {
        var bytes = await reads.FirstAsync<byte[]>(
            """
            SELECT r.bytes FROM audit_stream s JOIN audit_record r ON r.stream = s.number
            WHERE s.id = @stream AND r.sequence = @sequence
            """,
            new { stream = record.Stream, sequence = record.Sequence },
            cancellationToken
        );
        if (bytes is not null)
        {
            return AuditRecordWriter.Hash(bytes) == record.Hash;
        }

        // Ids of streams are in the order of their beginning, and an archive is a beginning of the log.
        return await audit.ArchivedAsync(cancellationToken) is { End: var end }
            && (string.CompareOrdinal(record.Stream, end.Stream), record.Sequence.CompareTo(end.Sequence))
                is
                    (< 0, _)
                    or
                    (0, <= 0);
    }
}
