using CredBroker.Core.Audit;

namespace CredBroker.Storage.Sql.Audit;

/// <summary>Appends to the audit log.</summary>
internal static class SqlAuditStore
{
    private static readonly SqlRows AppendText = new(
        "INSERT INTO audit_record (stream, sequence, bytes) VALUES (@stream, @sequence, @bytes)",
        "INSERT INTO audit_record (stream, sequence, bytes) SELECT stream, sequence, bytes FROM rows"
    );

    /// <summary>
    /// Enters a stream and returns its number. Streams are read in the order of their ids, so a new one's is later than
    /// every other, even if the clock has stood still since.
    /// </summary>
    public static long OpenStream(SqlSession session)
    {
        var newest = session.ReadFirst("SELECT id FROM audit_stream ORDER BY number DESC LIMIT 1", row => row.Text(0));
        var earliest = newest is null ? 0 : Convert.ToInt64(newest[..12], 16) + 1;
        var stream = Guid.CreateVersion7(ColumnValue.Time(Math.Max(session.NowColumn, earliest))).ToString("N");
        session.Execute("INSERT INTO audit_stream (id) VALUES (@id)", ("@id", stream));
        return session.ReadFirst(
            "SELECT number FROM audit_stream WHERE id = @id",
            row => row.Number(0),
            ("@id", stream)
        );
    }

    /// <summary>The newest record of a stream; sequence 0 when it has none.</summary>
    public static AuditPosition ReadHead(SqlSession session, long streamNumber)
    {
        var stream = session.ReadFirst(
            "SELECT id FROM audit_stream WHERE number = @stream",
            row => row.Text(0),
            ("@stream", streamNumber)
        )!;
        return session.ReadFirst(
                "SELECT sequence, bytes FROM audit_record WHERE stream = @stream ORDER BY sequence DESC LIMIT 1",
                row => new AuditPosition(stream, row.Number(0), AuditRecordWriter.Hash(row.Bytes(1))),
                ("@stream", streamNumber)
            ) ?? new(stream, 0, AuditPosition.NoHash);
    }

    /// <summary>Seals the event as the next record of the stream and appends it.</summary>
    public static AuditPosition Append(SqlSession session, long streamNumber, ReadOnlySpan<byte> eventBody)
    {
        var head = session.Head.Audit;
        var sequence = head.Sequence + 1;
        var record = AuditRecordWriter.Seal(head.Stream, sequence, session.Now, head.Hash, eventBody, session.Broker);
        session.Write(AppendText, ("@stream", streamNumber), ("@sequence", sequence), ("@bytes", record));
        var position = new AuditPosition(head.Stream, sequence, AuditRecordWriter.Hash(record));
        session.Head = session.Head with { Audit = position };
        return position;
    }

    /// <summary>Says which sequence number the batch began with.</summary>
    public static void EndBatch(SqlSession session, long streamNumber, long firstSequence) =>
        session.Write(
            "INSERT INTO audit_batch (stream, time, sequence) VALUES (@stream, @time, @sequence)",
            ("@stream", streamNumber),
            ("@time", session.NowColumn),
            ("@sequence", firstSequence)
        );

    /// <summary>
    /// The last record of the newest stream. Each stream names the one before it, so all of them hang together.
    /// </summary>
    public static byte[]? ReadNewest(SqlSession session) =>
        session.ReadFirst(
            """
            SELECT bytes FROM audit_record WHERE stream = (SELECT max(number) FROM audit_stream)
            ORDER BY sequence DESC LIMIT 1
            """,
            row => row.Bytes(0)
        );
}
