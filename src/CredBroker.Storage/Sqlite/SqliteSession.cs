using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Idempotency;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Revocations;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The writer's session on the file. It is the file's only writer, so that what it committed last is what the file
/// holds. With each batch it persists the clock, which never goes back, and the batch's number, by which a commit of
/// unknown outcome is read back.
/// </summary>
internal sealed class SqliteSession : SqlSession
{
    private readonly SqliteConnection _connection;
    private readonly StoreClock _clock;
    private readonly SqliteFile _file;
    private long _batch;

    // As of now, and as of the last savepoint.
    private (bool Now, bool AtSavepoint) _isClockRepaired;

    // Of a repair of the clock that is not known to be committed.
    private Action? _undoRepair;

    // Null where only the file knows.
    private StoreHead? _committed = default(StoreHead);

    public SqliteSession(SqliteFile file, SqliteConnection connection, StoreClock clock)
        : base(connection)
    {
        (_file, _connection, _clock) = (file, connection, clock);
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

    public override void Begin()
    {
        _file.EnsureInPlace();
        if (_undoRepair is not null && !IsThere())
        {
            Forget();
        }

        _undoRepair = null;
        Head = _committed ??= ReadHead();
        _isClockRepaired = default;
        Clock = _clock.Read();
        Now = Clock.Now;
        Execute("BEGIN IMMEDIATE");
    }

    public override void TakeOver() => SqlRevocationStore.DropClaims(this);

    public override ChangeResult RepairClock()
    {
        _isClockRepaired.Now = true;
        return ChangeResult.Done;
    }

    public override void Savepoint()
    {
        base.Savepoint();
        _isClockRepaired.AtSavepoint = _isClockRepaired.Now;
    }

    public override void RollbackToSavepoint()
    {
        base.RollbackToSavepoint();
        _isClockRepaired.Now = _isClockRepaired.AtSavepoint;
    }

    public override void EndBatch(long sequenceBefore)
    {
        _batch++;
        base.EndBatch(sequenceBefore);
        if (_isClockRepaired.Now)
        {
            BeginAnew();
        }

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
        (_committed, _undoRepair) = (Head, null);
    }

    /// <summary>
    /// The clock is repaired, as the last thing of the batch: a new stream begins, because within one time never goes
    /// back, and what the old time put off is due again.
    /// </summary>
    private void BeginAnew()
    {
        var (stream, undo) = (Stream, _clock.Repair());
        _undoRepair = () =>
        {
            undo();
            Stream = stream;
        };
        Clock = _clock.Read();
        Now = Clock.Now;
        SqlLeaseStore.DrawBack(this);
        SqlHoldStore.DrawBack(this);
        SqlIdempotencyStore.DrawBack(this);
        OpenStream();
        base.EndBatch(0);
    }

    /// <summary>A repair that was not committed: all is as it was.</summary>
    private void Forget()
    {
        _undoRepair?.Invoke();
        _undoRepair = null;
    }

    public override void Rollback()
    {
        base.Rollback();
        Forget();
    }

    public override bool ReadBack()
    {
        _committed = null;
        return !InTransaction && IsThere();
    }

    private bool IsThere() => ReadFirst("SELECT batch FROM store", row => row.Number(0)) == _batch;

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
