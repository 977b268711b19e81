namespace CredBroker.Storage.Sql.Leases;

/// <summary>
/// The decisions that leases were made from. Each is written once, in the audit record that tells of the opening, which
/// the lease names. A row of its own it has where that record goes, or where a second lease is made from it.
/// </summary>
internal static class SqlDecisionStore
{
    private static readonly SqlRows KeepText = new(
        """
        INSERT INTO decision (number, id, lease, at, record) SELECT @number, @decision, id, opened_at, @record
        FROM lease WHERE id = @id AND told_stream = @stream AND told_sequence = @sequence
        """,
        """
        INSERT INTO decision (number, id, lease, at, record) SELECT r.number, r.decision, l.id, l.opened_at, r.record
        FROM rows r JOIN lease l ON l.id = r.id AND l.told_stream = r.stream AND l.told_sequence = r.sequence
        """
    );

    private static readonly SqlRows NameText = new(
        """
        UPDATE lease SET decision = @number, told_stream = NULL, told_sequence = NULL
        WHERE id = @id AND told_stream = @stream AND told_sequence = @sequence
        """,
        """
        UPDATE lease SET decision = r.number, told_stream = NULL, told_sequence = NULL
        FROM rows r WHERE lease.id = r.id AND told_stream = r.stream AND told_sequence = r.sequence
        """
    );

    /// <summary>The one that this lease's record tells; none where it has a row of its own already.</summary>
    public static List<ToldDecision> ReadTold(SqlSession session, string leaseId) =>
        [
            .. session
                .ReadAll(
                    """
                    SELECT t.stream, t.sequence, t.bytes FROM lease l
                    JOIN audit_record t ON t.stream = l.told_stream AND t.sequence = l.told_sequence WHERE l.id = @id
                    """,
                    Read,
                    ("@id", leaseId)
                )
                .OfType<ToldDecision>(),
        ];

    /// <summary>Those that the first records of the log tell, of at most so many and up to this one.</summary>
    public static List<ToldDecision> ReadTold(SqlSession session, long stream, long sequence, long limit) =>
        [
            .. session
                .ReadAll(
                    """
                    SELECT stream, sequence, bytes FROM audit_record WHERE (stream, sequence) <= (@stream, @sequence)
                    ORDER BY stream, sequence LIMIT @limit
                    """,
                    Read,
                    ("@stream", stream),
                    ("@sequence", sequence),
                    ("@limit", limit)
                )
                .OfType<ToldDecision>(),
        ];

    /// <summary>Gives each a row of its own, where a lease still names its record.</summary>
    public static void Keep(SqlSession session, List<ToldDecision> decisions)
    {
        if (decisions.Count == 0)
        {
            return;
        }

        var number = session.ReadFirst("SELECT coalesce(max(number), 0) FROM decision", row => row.Number(0));
        foreach (var told in decisions)
        {
            number++;
            session.Write(
                KeepText,
                ("@number", number),
                ("@id", told.LeaseId),
                ("@stream", told.Stream),
                ("@sequence", told.Sequence),
                ("@decision", told.Id),
                ("@record", SqlValue.Utf8(told.Record))
            );
            session.Write(
                NameText,
                ("@number", number),
                ("@id", told.LeaseId),
                ("@stream", told.Stream),
                ("@sequence", told.Sequence)
            );
        }
    }

    private static ToldDecision? Read(SqlStatement row) =>
        ToldDecision.TryFind(row.Number(0), row.Number(1), row.Bytes(2));
}
