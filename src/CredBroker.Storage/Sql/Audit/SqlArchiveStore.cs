using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Leases;

namespace CredBroker.Storage.Sql.Audit;

/// <summary>Cuts the beginning of the audit log off, once it is archived.</summary>
internal static class SqlArchiveStore
{
    public static ChangeResult Archive(SqlSession session, StateChange.AuditArchived change)
    {
        var (end, archive) = (change.Archive.End, change.Archive);
        var stream = session.ReadFirst(
            "SELECT number FROM audit_stream WHERE id = @id",
            row => row.Number(0),
            ("@id", end.Stream)
        );
        var hash = session.ReadFirst(
            "SELECT bytes FROM audit_record WHERE stream = @stream AND sequence = @sequence",
            row => AuditRecordWriter.Hash(row.Bytes(0)),
            ("@stream", stream),
            ("@sequence", end.Sequence)
        );
        if (hash != end.Hash)
        {
            return GuardFailure.NotFound;
        }

        // Deleted is up to the newest archive's end. What an earlier one holds must be gone before there is a newer: it
        // would go unseen, whether its own file still verifies or not.
        var newest = Newest(session);
        if (
            (newest.Stream, newest.Sequence).CompareTo((stream, end.Sequence)) >= 0
            || Count(session, newest.Stream, newest.Sequence) > 0
            || Count(session, stream, end.Sequence) != archive.Records
        )
        {
            return GuardFailure.WrongState;
        }

        session.Execute(
            """
            INSERT INTO audit_archive (stream, sequence, hash, file, records, latest)
            VALUES (@stream, @sequence, @hash, @file, @records, @latest)
            """,
            ("@stream", stream),
            ("@sequence", end.Sequence),
            ("@hash", end.Hash),
            ("@file", archive.File),
            ("@records", archive.Records),
            ("@latest", ColumnValue.From(archive.Latest))
        );
        return ChangeResult.Done;
    }

    /// <summary>
    /// Deletes records, but for the decisions of leases in them, then what finds them by time, then streams that have none.
    /// </summary>
    public static ChangeResult Delete(SqlSession session, StateChange.ArchivedDeleted change)
    {
        var end = Newest(session);
        if (end.Hash != change.End.Hash)
        {
            return GuardFailure.WrongState;
        }

        var told = SqlDecisionStore.ReadTold(session, end.Stream, end.Sequence, change.Limit);
        var gone = session.Execute(
            """
            DELETE FROM audit_record WHERE (stream, sequence) IN (
              SELECT stream, sequence FROM audit_record WHERE (stream, sequence) <= (@stream, @sequence)
              ORDER BY stream, sequence LIMIT @limit)
            """,
            ("@stream", end.Stream),
            ("@sequence", end.Sequence),
            ("@limit", (long)change.Limit)
        );
        // Where the records were: a disk that is full has room there.
        SqlDecisionStore.Keep(session, told);
        if (gone < change.Limit)
        {
            gone += session.Execute(
                """
                DELETE FROM audit_batch WHERE (stream, time, sequence) IN (
                  SELECT stream, time, sequence FROM audit_batch WHERE (stream, time) <= (@stream, @latest)
                  ORDER BY stream, time LIMIT @limit)
                """,
                ("@stream", end.Stream),
                ("@latest", end.Latest),
                ("@limit", (long)change.Limit)
            );
        }

        if (gone < change.Limit)
        {
            session.Execute("DELETE FROM audit_stream WHERE number < @stream", ("@stream", end.Stream));
        }

        return new(null, gone);
    }

    private static (long Stream, long Sequence, string? Hash, long Latest) Newest(SqlSession session) =>
        session.ReadFirst(
            "SELECT stream, sequence, hash, latest FROM audit_archive ORDER BY number DESC LIMIT 1",
            row => (row.Number(0), row.Number(1), (string?)row.Text(2), row.Number(3))
        );

    private static long Count(SqlSession session, long stream, long sequence) =>
        session.ReadFirst(
            "SELECT count(*) FROM audit_record WHERE (stream, sequence) <= (@stream, @sequence)",
            row => row.Number(0),
            ("@stream", stream),
            ("@sequence", sequence)
        );
}
