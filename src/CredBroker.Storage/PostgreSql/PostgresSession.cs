using System.Data;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Revocations;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// The writer's session on PostgreSQL. Each batch first locks the one row of <c>store</c>: it has then seen whatever any
/// writer has committed, and nothing is committed beside it, so that guards are read as they are on SQLite. So all
/// brokers append to one audit stream, each after what it finds, and go by one clock. By the same lock a lost commit is
/// read back only when it is over.
/// <para>
/// The server is a trip away, and a batch takes two or three, however many changes it has: with the lock comes what
/// their guards compare with (<see cref="ForeseenRows"/>), and all that they write goes there together, the updates that
/// were assumed to find their rows before the COMMIT. Where something assumed is wrong, or a row cannot be written, the
/// batch is applied again a statement at a time, each change in a savepoint.
/// </para>
/// <para>
/// Of several statements Npgsql sends all but the first on a thread of the pool, whichever way it is called. Where the
/// pool has none to spare, because calls block it, every statement is sent by itself, on the writer's thread: many trips.
/// </para>
/// </summary>
internal sealed partial class PostgresSession : SqlSession
{
    // Not READ WRITE: who has the server take no changes, by its setting, means this store, too.
    private const string BeginText = "BEGIN ISOLATION LEVEL READ COMMITTED";
    private const string LockText = "SELECT id FROM store FOR UPDATE";

    /// <summary>
    /// What the store holds now that nobody else can change it: the numbers, the stream's end, the clock, and the time.
    /// </summary>
    private const string FoundText = $"""
        SELECT (SELECT coalesce(max(fence), 0) FROM revocation_order),
          (SELECT coalesce(max(version), 0) FROM policy_version),
          (SELECT count(*) FROM hold WHERE lifted_at IS NULL),
          coalesce(s.number, 0), coalesce(s.id, ''), coalesce(r.sequence, 0),
          CASE WHEN s.id = @stream AND r.sequence = @sequence THEN NULL ELSE r.bytes END,
          clock, counted, {PostgresDatabase.Clock}, (SELECT coalesce(max(change), 0) FROM approval),
          (SELECT max(changed_at) FROM vault_cluster),
          (SELECT coalesce(max(change), 0) FROM owner_retirement)
        FROM store
        LEFT JOIN LATERAL (SELECT number, id FROM audit_stream ORDER BY number DESC LIMIT 1) s ON TRUE
        LEFT JOIN LATERAL (
          SELECT sequence, bytes FROM audit_record WHERE stream = s.number ORDER BY sequence DESC LIMIT 1
        ) r ON TRUE
        """;

    private readonly PostgresDatabase _database;
    private readonly NpgsqlConnection _connection;
    private readonly StoreClock _clock;
    private bool _hasBegun;
    private long _batch;

    // The newest record that this process has seen committed, which another may have followed. Null where only the
    // database knows.
    private AuditPosition? _newest;

    // What the store had at the beginning of the batch, and what it has persisted of the clock.
    private StoreHead _found;
    private (long Time, long Counted) _persisted;

    // The clock as it was persisted when this process saw it last: it lies behind that only if somebody has repaired it.
    private long _seen;

    // What this batch persists of it; null where it changes nothing.
    private long? _persists;

    // Whether this process appends to the stream, and whether the last of its brokers has closed it.
    private bool _isIn;
    private bool _isClosed;

    // Whether the connection has been made anew since.
    private bool _isNew;

    public PostgresSession(PostgresDatabase database, NpgsqlConnection connection, StoreClock clock)
        : base(connection, clock)
    {
        (_database, _connection, _pipe, _clock) = (database, connection, new(connection), clock);
        try
        {
            _persisted = ReadFirst("SELECT clock, counted FROM store", row => (row.Number(0), row.Number(1)));
            _seen = _persisted.Time;
            clock.Start(_persisted.Time, _persisted.Counted);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override string? Broker => _database.Broker;

    public override bool InTransaction => _hasBegun && IsOpen;

    private bool IsOpen => _connection.State == ConnectionState.Open;

    public override void Begin(IReadOnlyList<PendingCommit> batch, bool mayAssume)
    {
        _isOneByOne = !HasPoolThread();
        mayAssume &= !_isOneByOne;
        Connect();
        try
        {
            BeginLocked(batch, mayAssume);
        }
        catch (NpgsqlException) when (!IsOpen)
        {
            // It was lost while nobody used it, and nothing was asked of it but a beginning.
            Connect();
            BeginLocked(batch, mayAssume);
        }

        (_persists, _found) = (null, Head);
        var stream = Stream;
        BeginNow();
        // A repair of the clock that was not committed began none, and another broker's may have since.
        Stream = stream;
        if (_isIn && _isNew)
        {
            Execute(PostgresDatabase.Enter);
            _isNew = false;
        }

        if (_isIn && _isClosed)
        {
            // This process was cut off when the last of the others stopped.
            BeginStream();
            EndRecords(0);
        }
    }

    public override void TakeOver()
    {
        if (!OthersAreThere())
        {
            SqlRevocationStore.DropClaims(this);
            Execute("DELETE FROM writer");
        }
    }

    /// <summary>Its own where nobody else is there, or else the one that the others append to.</summary>
    public override long OpenStream()
    {
        var isShared = !_isClosed && OthersAreThere();
        Execute(PostgresDatabase.Enter);
        _isIn = true;
        if (!isShared)
        {
            return base.OpenStream();
        }

        var before = Head.Audit.Sequence;
        Tell(new BrokerJoined { Broker = _database.Broker });
        return before;
    }

    public override void CloseStream()
    {
        if (OthersAreThere())
        {
            Tell(new BrokerLeft { Broker = _database.Broker });
        }
        else
        {
            base.CloseStream();
        }

        // Still within the batch: the next one to ask does not count this one.
        Execute(PostgresDatabase.Leave);
    }

    public override ChangeResult Apply(in PreparedChange prepared)
    {
        var result = base.Apply(prepared);
        if (ChangedLease(prepared.Change) is { } lease)
        {
            // What opens one has said itself which task and which key it changed.
            SqlRevocationStore.Forget(this, lease);
            SqlLeaseStore.Forget(this, lease);
        }
        else if (
            result.IsRecorded
            && prepared.Change
                is not (StateChange.RequestDenied or StateChange.DenialCounted or StateChange.EventRecorded)
        )
        {
            _foreseen.Clear();
        }

        return result;
    }

    public override void EndBatch(long sequenceBefore)
    {
        _batch++;
        base.EndBatch(sequenceBefore);
        _persists = NowColumn;
        if (_assumed.Count > 0)
        {
            Flush();
        }

        Defer(
            "UPDATE store SET clock = @clock, counted = @counted",
            ("@clock", NowColumn),
            ("@counted", CountedColumn)
        );
        Defer(
            "INSERT INTO writer (id, batch) VALUES (@id, @batch) ON CONFLICT (id) DO UPDATE SET batch = @batch",
            ("@id", _database.Broker),
            ("@batch", _batch)
        );
        if (Head with { Audit = _found.Audit } != _found)
        {
            // Delivered with the commit. Whoever misses it looks each second.
            Defer(
                "SELECT pg_notify(@channel, @broker)",
                ("@channel", _database.Channel),
                ("@broker", _database.Broker)
            );
        }
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
        (_newest, _seen) = (Head.Audit, _persists ?? _seen);
    }

    public override void Rollback()
    {
        Drop();
        base.Rollback();
        _hasBegun = false;
    }

    /// <summary>
    /// On a new connection: what became of the old one's transaction is certain only once its lock is gone, and the
    /// server lets go of that when it is committed or given up.
    /// </summary>
    public override bool ReadBack()
    {
        _hasBegun = false;
        _connection.Close();
        Connect();
        BeginLocked([], mayAssume: false);
        var committed = FindBatch();
        Execute("ROLLBACK");
        _hasBegun = false;
        return committed is { } batch
            ? batch == _batch
            : throw new StoreUnavailableException(
                "Another broker has tidied up behind this one while it was cut off: what became of its batch is not known."
            );
    }

    /// <summary>The disk is the server's: nothing of it is kept here.</summary>
    public override bool MakeRoom(Exception failure) => false;

    /// <summary>Data that are wrong, a rule of the schema, a limit on one row, a trigger.</summary>
    public override bool IsOwnFault(Exception failure) =>
        failure is not (NpgsqlException or WrongAssumptionException)
        || failure is PostgresException { SqlState: ['2', '2' or '3', ..] or ['5', '4', ..] or "P0001" };

    public override void Dispose()
    {
        base.Dispose();
        _pipe.Dispose();
    }

    protected override bool IsThere() => FindBatch() == _batch;

    /// <summary>As the row lock gave them, batches of all brokers are in one order, and so is their time.</summary>
    protected override void TakeUpClock()
    {
        if (_persisted.Time < _seen)
        {
            _clock.Repair();
        }

        _clock.Follow(_persisted.Time, _persisted.Counted);
        _seen = _persisted.Time;
    }

    protected override SqlStatement Prepare(string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        new PostgresStatement(this, sql, parameters);

    private void Connect()
    {
        if (!IsOpen)
        {
            // What a statement was prepared as, it remembers of the connection that is gone.
            ForgetStatements();
            // Where another server has taken its place, what this one had committed last may be gone.
            (_newest, _isNew) = (null, true);
            _database.Connect(_connection);
        }
    }

    /// <summary>What <see cref="FoundText"/> says; the newest record comes along only where it is not known.</summary>
    private StoreHead Found(SqlStatement row, long askedAt)
    {
        var newest = new AuditPosition(row.Text(4), row.Number(5), AuditPosition.NoHash);
        _isClosed = false;
        if (!row.IsNull(6))
        {
            var record = row.Bytes(6);
            newest = newest with { Hash = AuditRecordWriter.Hash(record) };
            _isClosed = AuditRecordHeader.Read(record)?.Type == StreamClosed.TypeName;
        }
        else if (newest.Sequence > 0)
        {
            newest = _newest!;
        }

        Stream = row.Number(3);
        _persisted = (row.Number(7), row.Number(8));
        _database.Time.TryTake(row.Number(9), askedAt);
        return new(row.Number(0), row.Number(1), newest, row.Number(2))
        {
            Opening = Opening,
            Approvals = row.Number(10),
            Owners = row.Number(12),
            VaultChangedAt = row.IsNull(11) ? null : ColumnValue.Time(row.Number(11)),
        };
    }

    protected override long Opening => _database.Connections;

    private long? FindBatch() =>
        ReadFirst("SELECT batch FROM writer WHERE id = @id", row => (long?)row.Number(0), ("@id", _database.Broker));

    /// <summary>Whether another broker's connection has the schema, too.</summary>
    private bool OthersAreThere() => ReadFirst(PostgresDatabase.CountOthers, row => row.Number(0)) > 0;

    /// <summary>Locks the store and reads, in the same trip, what the batch will be compared with.</summary>
    private void BeginLocked(IReadOnlyList<PendingCommit> batch, bool mayAssume)
    {
        Drop();
        (_hasBegun, _mayAssume) = (true, mayAssume);
        Defer(BeginText);
        var askedAt = _database.Time.GetTimestamp();
        if (_isOneByOne)
        {
            Execute(LockText);
            Head = ReadFirst(
                FoundText,
                row => Found(row, askedAt),
                ("@stream", _newest?.Stream ?? ""),
                ("@sequence", _newest?.Sequence ?? 0)
            );
            return;
        }

        Defer(LockText);
        var found = Defer(FoundText, ("@stream", _newest?.Stream ?? ""), ("@sequence", _newest?.Sequence ?? 0));
        if (mayAssume)
        {
            foreach (var commit in batch)
            {
                foreach (ref readonly var prepared in commit.Changes)
                {
                    SqlTransitions.Foresee(this, prepared.Change);
                }
            }
        }

        try
        {
            using var reader = Send();
            reader.NextResult();
            Head = found.MapFirst(reader, row => Found(row, askedAt));
            foreach (var (key, statement, map) in _asked)
            {
                reader.NextResult();
                _foreseen.Keep(key, statement.MapFirst(reader, map));
            }
        }
        catch (PostgresException e) when (IsWrongAssumption(e))
        {
            throw new WrongAssumptionException("What guards compare with cannot be read ahead.", e);
        }

        _asked.Clear();
    }

    /// <summary>The lease that a change of one lease has changed; null for any other change.</summary>
    private static string? ChangedLease(StateChange.Transition transition) =>
        transition switch
        {
            StateChange.LeaseOpened change => change.Lease.Id,
            StateChange.LeaseActivated change => change.LeaseId,
            StateChange.LeaseRenewed change => change.LeaseId,
            StateChange.HandlesRecorded change => change.LeaseId,
            StateChange.RevocationClaimed change => change.LeaseId,
            StateChange.AccessorRevoked change => change.LeaseId,
            StateChange.AbsenceAwaited change => change.LeaseId,
            StateChange.LeaseRevoked change => change.LeaseId,
            StateChange.RevocationFailed change => change.LeaseId,
            StateChange.LeaseEnded change => change.LeaseId,
            _ => null,
        };
}
