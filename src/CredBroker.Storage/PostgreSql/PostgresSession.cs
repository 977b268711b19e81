using System.Data;
using CredBroker.Core.Audit;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sql.Revocations;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// The writer's session on PostgreSQL. Each batch first locks the one row of <c>store</c>: it has then seen whatever any
/// writer has committed, and nothing is committed beside it, so that guards are read as they are on SQLite. By the same
/// lock a lost commit is read back only when it is over. What needs no answer of its own goes to the server together
/// with what comes next.
/// </summary>
internal sealed class PostgresSession : SqlSession
{
    private const string BeginText = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    private const string SavepointText = "SAVEPOINT change";

    private readonly string _writer = Guid.NewGuid().ToString("N");
    private readonly PostgresDatabase _database;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlBatch _pipe;
    private readonly List<NpgsqlBatchCommand> _deferred = [];
    private bool _hasBegun;
    private long _batch;

    // The stream's newest record that is known to be committed. Null where only the database knows.
    private AuditPosition? _newest;

    public PostgresSession(PostgresDatabase database, NpgsqlConnection connection, StoreClock clock)
        : base(connection, clock)
    {
        (_database, _connection, _pipe) = (database, connection, new(connection));
        try
        {
            var (persisted, counted) = ReadFirst(
                "SELECT clock, counted FROM store",
                row => (row.Number(0), row.Number(1))
            );
            clock.Start(persisted, counted);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override bool InTransaction => _hasBegun && IsOpen;

    // Nothing was done after it: then it need not be made.
    private bool IsSavepointUnsent => _deferred is [.., { CommandText: SavepointText }];

    private bool IsOpen => _connection.State == ConnectionState.Open;

    public override void Begin()
    {
        Connect();
        try
        {
            BeginLocked();
        }
        catch (NpgsqlException) when (!IsOpen)
        {
            // It was lost while nobody used it, and nothing was asked of it but a beginning.
            Connect();
            BeginLocked();
        }

        BeginNow();
        // Others may have committed since, but nobody else appends to this stream.
        Head = _newest is { } newest ? ReadHead(newest) : ReadHead();
    }

    public override void TakeOver()
    {
        if (_database.IsAlone)
        {
            SqlRevocationStore.DropClaims(this);
            Execute("DELETE FROM writer");
        }

        Execute("INSERT INTO writer (id, batch) VALUES (@id, 0)", ("@id", _writer));
    }

    public override void EndBatch(long sequenceBefore)
    {
        _batch++;
        base.EndBatch(sequenceBefore);
        Defer(
            "UPDATE store SET clock = @clock, counted = @counted",
            ("@clock", NowColumn),
            ("@counted", CountedColumn)
        );
        Defer("UPDATE writer SET batch = @batch WHERE id = @id", ("@batch", _batch), ("@id", _writer));
    }

    /// <summary>
    /// In one go with the last statements: in a transaction that an error has ended they fail, where a lone COMMIT would
    /// report a rollback as its success.
    /// </summary>
    public override void Commit()
    {
        Defer("COMMIT");
        Flush();
        _hasBegun = false;
        KeepRepair();
        _newest = Head.Audit;
    }

    public override void Rollback()
    {
        _deferred.Clear();
        base.Rollback();
        _hasBegun = false;
    }

    /// <summary>
    /// On a new connection: what became of the old one's transaction is certain only once its lock is gone, and the
    /// server lets go of that when it is committed or given up.
    /// </summary>
    public override bool ReadBack()
    {
        (_newest, _hasBegun) = (null, false);
        _connection.Close();
        Connect();
        BeginLocked();
        var isThere = IsThere();
        Execute("ROLLBACK");
        _hasBegun = false;
        return isThere;
    }

    /// <summary>The disk is the server's: nothing of it is kept here.</summary>
    public override bool MakeRoom(Exception failure) => false;

    /// <summary>Data that are wrong, a rule of the schema, a limit on one row, a trigger.</summary>
    public override bool IsOwnFault(Exception failure) =>
        failure is not NpgsqlException
        || failure is PostgresException { SqlState: ['2', '2' or '3', ..] or ['5', '4', ..] or "P0001" };

    /// <summary>Sends a statement, after what was deferred. Whoever reads the rows closes the reader.</summary>
    public NpgsqlDataReader Run(NpgsqlBatchCommand command)
    {
        _deferred.Add(command);
        return Send();
    }

    public override T? QueryFirst<T>(string sql, object parameters)
        where T : default
    {
        Flush();
        return base.QueryFirst<T>(sql, parameters);
    }

    public override void ReleaseSavepoint()
    {
        if (IsSavepointUnsent)
        {
            _deferred.RemoveAt(_deferred.Count - 1);
        }
        else
        {
            Defer("RELEASE SAVEPOINT change");
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _pipe.Dispose();
    }

    protected override void MarkSavepoint() => Defer(SavepointText);

    protected override void ReturnToSavepoint()
    {
        if (!IsSavepointUnsent)
        {
            Defer("ROLLBACK TO SAVEPOINT change");
        }
    }

    protected override bool IsThere() =>
        ReadFirst("SELECT batch FROM writer WHERE id = @id", row => row.Number(0), ("@id", _writer)) == _batch;

    protected override SqlStatement Prepare(string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        new PostgresStatement(this, sql, parameters);

    private void Connect()
    {
        if (!IsOpen)
        {
            // What a statement was prepared as, it remembers of the connection that is gone.
            ForgetStatements();
            _database.Connect(_connection);
        }
    }

    private void BeginLocked()
    {
        _deferred.Clear();
        _hasBegun = true;
        Defer(BeginText);
        Execute("SELECT id FROM store FOR UPDATE");
    }

    private void Defer(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        _deferred.Add(((PostgresStatement)Bound(sql, parameters)).Command);

    private void Flush()
    {
        if (_deferred.Count > 0)
        {
            Send().Dispose();
        }
    }

    private NpgsqlDataReader Send()
    {
        _pipe.BatchCommands.Clear();
        foreach (var command in _deferred)
        {
            _pipe.BatchCommands.Add(command);
        }

        _deferred.Clear();
        return _pipe.ExecuteReader();
    }
}
