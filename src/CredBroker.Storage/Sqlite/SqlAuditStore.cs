using System.Runtime.CompilerServices;
using CredBroker.Core.Audit;
using Dapper;
using Microsoft.Data.Sqlite;

namespace CredBroker.Storage.Sqlite;

/// <summary>Audit streams and records.</summary>
internal static class SqlAuditStore
{
    private const int RecordsPerPage = 256;

    /// <summary>
    /// Enters a stream and returns its number. Streams are read in the order of their ids, so a new one's is later than
    /// every other, even if the clock has stood still since.
    /// </summary>
    public static long OpenStream(WriteSession session)
    {
        var newest = session.ReadFirst("SELECT id FROM audit_stream ORDER BY number DESC LIMIT 1", row => row.Text(0));
        var earliest = newest is null ? 0 : Convert.ToInt64(newest[..12], 16) + 1;
        var stream = Guid.CreateVersion7(Column.Time(Math.Max(session.NowColumn, earliest))).ToString("N");
        session.Execute("INSERT INTO audit_stream (id) VALUES ($id)", ("$id", stream));
        return session.ReadFirst(
            "SELECT number FROM audit_stream WHERE id = $id",
            row => row.Number(0),
            ("$id", stream)
        );
    }

    /// <summary>The newest record of a stream; sequence 0 when it has none.</summary>
    public static AuditPosition ReadHead(WriteSession session, long streamNumber)
    {
        var stream = session.ReadFirst(
            "SELECT id FROM audit_stream WHERE number = $stream",
            row => row.Text(0),
            ("$stream", streamNumber)
        )!;
        return session.ReadFirst(
                "SELECT sequence, bytes FROM audit_record WHERE stream = $stream ORDER BY sequence DESC LIMIT 1",
                row => new AuditPosition(stream, row.Number(0), AuditRecordWriter.Hash(row.Bytes(1))),
                ("$stream", streamNumber)
            ) ?? new(stream, 0, AuditPosition.NoHash);
    }

    /// <summary>Seals the event as the next record of the stream and appends it.</summary>
    public static AuditPosition Append(WriteSession session, long streamNumber, ReadOnlySpan<byte> eventBody)
    {
        var head = session.Head.Audit;
        var sequence = head.Sequence + 1;
        var record = AuditRecordWriter.Seal(head.Stream, sequence, session.Now, head.Hash, eventBody);
        session.Execute(
            "INSERT INTO audit_record (stream, sequence, bytes) VALUES ($stream, $sequence, $bytes)",
            ("$stream", streamNumber),
            ("$sequence", sequence),
            ("$bytes", record)
        );
        var position = new AuditPosition(head.Stream, sequence, AuditRecordWriter.Hash(record));
        session.Head = session.Head with { Audit = position };
        return position;
    }

    /// <summary>Says which sequence number the batch began with.</summary>
    public static void EndBatch(WriteSession session, long streamNumber, long firstSequence) =>
        session.Execute(
            "INSERT INTO audit_batch (stream, time, sequence) VALUES ($stream, $time, $sequence)",
            ("$stream", streamNumber),
            ("$time", session.NowColumn),
            ("$sequence", firstSequence)
        );

    /// <summary>
    /// The last record of the newest stream. Each stream names the one before it, so all of them hang together.
    /// </summary>
    public static byte[]? ReadNewest(WriteSession session) =>
        session.ReadFirst(
            "SELECT bytes FROM audit_record "
                + "WHERE stream = (SELECT max(number) FROM audit_stream) ORDER BY sequence DESC LIMIT 1",
            row => row.Bytes(0)
        );

    /// <summary>The newest record of every stream.</summary>
    public static IReadOnlyList<AuditPosition> ReadHeads(SqliteConnection connection) =>
        [
            .. connection
                .Query<(string Stream, long Sequence, byte[] Bytes)>(
                    """
                    SELECT s.id, r.sequence, r.bytes FROM audit_stream s
                    JOIN audit_record r ON r.stream = s.number
                      AND r.sequence = (SELECT max(sequence) FROM audit_record WHERE stream = s.number)
                    ORDER BY s.id
                    """
                )
                .Select(row => new AuditPosition(row.Stream, row.Sequence, AuditRecordWriter.Hash(row.Bytes))),
        ];

    /// <summary>
    /// Records of a time range in pages, each read on its own: a snapshot held for a whole export would let the
    /// write-ahead log grow.
    /// </summary>
    public static async IAsyncEnumerable<AuditRecord> ReadAsync(
        SqliteFile file,
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        foreach (var (number, stream) in StreamsFrom(file, after?.Stream ?? ""))
        {
            var (first, last) = Run(file, number, Column.From(from), Column.From(to));
            first = stream == after?.Stream ? Math.Max(first, after.Sequence + 1) : first;
            while (first <= last)
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var (sequence, bytes) in Page(file, number, first, last))
                {
                    // A record that somebody altered in the database is exported as it stands; whoever verifies the
                    // export is told.
                    yield return new(
                        stream,
                        sequence,
                        AuditRecordHeader.Read(bytes)?.Previous ?? AuditPosition.NoHash,
                        bytes
                    );
                    first = sequence;
                }

                first++;
                await Task.Yield();
            }
        }
    }

    private static List<(long Number, string Id)> StreamsFrom(SqliteFile file, string stream) =>
        file.Read(connection =>
            connection
                .Query<(long, string)>(
                    "SELECT number, id FROM audit_stream WHERE id >= @stream ORDER BY id",
                    new { stream }
                )
                .AsList()
        );

    // Within a stream time never goes back, so a time range is one run of sequence numbers.
    private static (long First, long Last) Run(SqliteFile file, long number, long from, long to) =>
        file.Read(connection =>
        {
            // In this order: what is committed meanwhile can then only lie after the newest.
            var newest = connection.ExecuteScalar<long>(
                "SELECT coalesce(max(sequence), 0) FROM audit_record WHERE stream = @number",
                new { number }
            );
            var last = (FirstAtOrAfter(to) ?? long.MaxValue) - 1;
            var first = FirstAtOrAfter(from);
            return (first ?? long.MaxValue, Math.Min(last, newest));

            long? FirstAtOrAfter(long time) =>
                connection.ExecuteScalar<long?>(
                    "SELECT sequence FROM audit_batch "
                        + "WHERE stream = @number AND time >= @time ORDER BY time, sequence LIMIT 1",
                    new { number, time }
                );
        });

    private static List<(long Sequence, byte[] Bytes)> Page(SqliteFile file, long number, long first, long last) =>
        file.Read(connection =>
            connection
                .Query<(long, byte[])>(
                    "SELECT sequence, bytes FROM audit_record "
                        + "WHERE stream = @number AND sequence BETWEEN @first AND @last ORDER BY sequence LIMIT @limit",
                    new
                    {
                        number,
                        first,
                        last,
                        limit = RecordsPerPage,
                    }
                )
                .AsList()
        );
}
