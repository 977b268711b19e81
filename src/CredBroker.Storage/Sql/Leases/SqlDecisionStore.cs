namespace CredBroker.Storage.Sql.Leases;

/// <summary>
/// The decisions that leases were made from. Each is written once, in the audit record that tells of the opening, which
/// the lease names. A row of its own it has where that record goes, or where a second lease is made from it.
/// </summary>
internal static class SqlDecisionStore
{
    /// <summary>The decision of this lease gets a row of its own, which a second lease can name as well.</summary>
    public static void Keep(SqlSession session, string leaseId)
    {
        var told = session.ReadFirst(
            """
            SELECT t.stream, t.sequence, t.bytes FROM lease l
            JOIN audit_record t ON t.stream = l.told_stream AND t.sequence = l.told_sequence WHERE l.id = @id
            """,
            row => (Stream: row.Number(0), Sequence: row.Number(1), Decision: ToldDecision.TryFind(row.Bytes(2))),
            ("@id", leaseId)
        );
        if (told.Decision is { } decision && decision.LeaseId == leaseId)
        {
            Keep(session, told.Stream, told.Sequence, decision);
        }
    }

    /// <summary>
    /// So do those that are told by the first records of the log, up to this one and at most so many: they will be deleted.
    /// </summary>
    public static void KeepUpTo(SqlSession session, long stream, long sequence, long limit)
    {
        var told = session.ReadAll(
            """
            SELECT stream, sequence, bytes FROM audit_record WHERE (stream, sequence) <= (@stream, @sequence)
            ORDER BY stream, sequence LIMIT @limit
            """,
            row => (Stream: row.Number(0), Sequence: row.Number(1), Decision: ToldDecision.TryFind(row.Bytes(2))),
            ("@stream", stream),
            ("@sequence", sequence),
            ("@limit", limit)
        );
        foreach (var record in told)
        {
            if (record.Decision is { } decision)
            {
                Keep(session, record.Stream, record.Sequence, decision);
            }
        }
    }

    /// <summary>Nothing is written where no lease names the record.</summary>
    private static void Keep(SqlSession session, long stream, long sequence, ToldDecision decision)
    {
        session.Write(
            """
            INSERT INTO decision (number, id, lease, at, record)
            SELECT (SELECT coalesce(max(number), 0) + 1 FROM decision), @decision, id, opened_at, @record
            FROM lease WHERE id = @id AND told_stream = @stream AND told_sequence = @sequence
            """,
            ("@id", decision.LeaseId),
            ("@stream", stream),
            ("@sequence", sequence),
            ("@decision", decision.Id),
            ("@record", SqlValue.Utf8(decision.Record))
        );
        session.Write(
            """
            UPDATE lease SET decision = (SELECT max(number) FROM decision), told_stream = NULL, told_sequence = NULL
            WHERE id = @id AND told_stream = @stream AND told_sequence = @sequence
            """,
            ("@id", decision.LeaseId),
            ("@stream", stream),
            ("@sequence", sequence)
        );
    }
}
