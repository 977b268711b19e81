using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sql.Revocations;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The writer's session on the file. It is the file's only writer, so that what it committed last is what the file
/// holds. With each batch it persists the batch's number, by which a commit of unknown outcome is read back.
/// </summary>
internal sealed class SqliteSession : SqlSession
{
    private readonly SqliteConnection _connection;
    private readonly SqliteFile _file;
    private long _batch;

    // Whether changes are made without savepoints, and how much had been written before the one that is being made.
    private bool _mayAssume;
    private int _written;

    // Null where only the file knows.
    private StoreHead? _committed = default(StoreHead);

    public SqliteSession(SqliteFile file, SqliteConnection connection, StoreClock clock)
        : base(connection, clock)
    {
        (_file, _connection) = (file, connection);
        try
        {
            (var persisted, var counted, _batch) = ReadFirst(
                "SELECT clock, counted, batch FROM store",
                row => (row.Number(0), row.Number(1), row.Number(2))
            );
            clock.Start(persisted, counted);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override bool InTransaction => raw.sqlite3_get_autocommit(_connection.Handle) == 0;

    /// <summary>
    /// Nothing is far from here, so that nothing is read ahead. What is assumed is that a change which fails has written
    /// nothing yet, as nearly always, for then there is nothing to go back to: in a savepoint SQLite copies each page before
    /// it is first written.
    /// </summary>
    public override void Begin(IReadOnlyList<PendingCommit> batch, bool mayAssume)
    {
        _mayAssume = mayAssume;
        _file.EnsureInPlace();
        BeginNow();
        Head = _committed ??= ReadHead();
        Execute("BEGIN IMMEDIATE");
    }

    public override void TakeOver() => SqlRevocationStore.DropClaims(this);

    public override void EndBatch(long sequenceBefore)
    {
        _batch++;
        base.EndBatch(sequenceBefore);
        Execute(
            "UPDATE store SET clock = @clock, counted = @counted, batch = @batch",
            ("@clock", NowColumn),
            ("@counted", CountedColumn),
            ("@batch", _batch)
        );
    }

    public override void Commit()
    {
        base.Commit();
        _committed = Head;
    }

    public override void ReleaseSavepoint()
    {
        if (!_mayAssume)
        {
            base.ReleaseSavepoint();
        }
    }

    protected override void MarkSavepoint()
    {
        if (_mayAssume)
        {
            _written = raw.sqlite3_total_changes(_connection.Handle);
        }
        else
        {
            base.MarkSavepoint();
        }
    }

    protected override void ReturnToSavepoint()
    {
        if (!_mayAssume)
        {
            base.ReturnToSavepoint();
        }
        else if (raw.sqlite3_total_changes(_connection.Handle) != _written)
        {
            throw new WrongAssumptionException("What failed had written something already.");
        }
    }

    public override bool ReadBack()
    {
        _committed = null;
        return !InTransaction && IsThere();
    }

    protected override bool IsThere() => ReadFirst("SELECT batch FROM store", row => row.Number(0)) == _batch;

    public override bool MakeRoom(Exception failure) =>
        failure is SqliteException { SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_IOERR } && _file.MakeRoom();

    public override bool IsOwnFault(Exception failure) =>
        failure is not SqliteException sqlite
        || sqlite.SqliteErrorCode
            is raw.SQLITE_CONSTRAINT
                or raw.SQLITE_TOOBIG
                or raw.SQLITE_MISMATCH
                or raw.SQLITE_RANGE;

    protected override SqlStatement Prepare(string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        new SqliteStatement(_connection.Handle!, sql, parameters);
}
