using System.Data.Common;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Access;
using CredBroker.Storage.Sql.Activity;
using CredBroker.Storage.Sql.Approvals;
using CredBroker.Storage.Sql.Audit;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Idempotency;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Limits;
using CredBroker.Storage.Sql.Notifications;
using Dapper;

namespace CredBroker.Storage.Sql;

/// <summary>
/// The writer's session on a database that speaks SQL. The statements are literals beside the methods that run them, in
/// words that every engine here understands, with parameters as <c>@name</c>. An engine's subclass brings what is its
/// own: how a transaction begins, how a statement is prepared, how a lost commit is read back, and whose fault an error
/// is. With each batch the clock is persisted, which never goes back unless an admin repairs it.
/// </summary>
internal abstract class SqlSession(DbConnection connection, StoreClock clock) : CommitSession
{
    /// <summary>Reads fence, policy version, holds and approvals.</summary>
    private const string HeadText = """
        SELECT (SELECT coalesce(max(fence), 0) FROM revocation_order),
          (SELECT coalesce(max(version), 0) FROM policy_version),
          (SELECT count(*) FROM hold WHERE lifted_at IS NULL),
          (SELECT coalesce(max(change), 0) FROM approval),
          (SELECT max(changed_at) FROM vault_cluster), (SELECT coalesce(max(change), 0) FROM owner_retirement)
        """;

    // By reference, because every statement is a literal: nothing is hashed or compared but a pointer.
    private readonly Dictionary<string, SqlStatement> _statements = new(ReferenceEqualityComparer.Instance);

    // As of now, and as of the last savepoint.
    private (bool Now, bool AtSavepoint) _isClockRepaired;

    // Since the last savepoint.
    private bool _areHoldsChanged;

    // In the batch, of which nobody knows yet whether it commits.
    private bool _areOwnersChanged;

    // Of a repair of the clock that is not known to be committed.
    private Action? _undoRepair;

    /// <summary>The number of the stream that is appended to.</summary>
    public long Stream { get; protected set; }

    /// <summary>The time of the batch as columns hold it.</summary>
    public long NowColumn => ColumnValue.From(Now);

    /// <summary>The time of the batch by the count of what has passed (<see cref="StorePosition.Counted"/>).</summary>
    public long CountedColumn => ColumnValue.From(Clock.Counted);

    /// <summary>What the holds in force reach, once it was read in the batch and until it changes.</summary>
    public List<LeaseSelector>? HoldsInForce { get; set; }

    /// <summary>Who is gone, as it was read when the head said so, and until it changes here.</summary>
    public (long Opening, long Owners, HashSet<string> Keys)? RetiredOwners { get; set; }

    /// <summary>How many rows of activity this session has written since they were added up; as many at most.</summary>
    public int ActivityEntries { get; set; }

    /// <summary>The change that is being made has somebody go or come back.</summary>
    public void ForgetOwners() => (RetiredOwners, _areOwnersChanged) = (null, true);

    /// <summary>The change that is being made has placed or lifted a hold.</summary>
    public void ForgetHolds() => (HoldsInForce, _areHoldsChanged) = (null, true);

    /// <summary>The hold that was placed last.</summary>
    public string? PlacedHold { get; set; }

    /// <summary>
    /// The time for what is read ahead, as columns hold it: the batch's own, or before it, unless another broker has set
    /// the clock back meanwhile.
    /// </summary>
    public long Foreseeable => ColumnValue.From(clock.Read().Now);

    /// <summary>The clock, as it stood at the beginning of the batch.</summary>
    public ClockReading Clock { get; protected set; }

    /// <summary>The time by which the end of a lease is measured (<see cref="StorePosition.NowFor"/>).</summary>
    public long NowColumnFor(long? activatedAt) =>
        activatedAt <= ColumnValue.From(Clock.FallenAt) ? CountedColumn : NowColumn;

    /// <summary>Has the clock take the word of the process's as soon as the batch is committed.</summary>
    public ChangeResult RepairClock()
    {
        _isClockRepaired.Now = true;
        return ChangeResult.Done;
    }

    public override long OpenStream()
    {
        BeginStream();
        return 0;
    }

    /// <summary>Enters a new stream, which names the one before it, and records that it is open.</summary>
    protected void BeginStream()
    {
        var predecessor = StreamPredecessor.Of(SqlAuditStore.ReadNewest(this));
        var opened = AuditRecordWriter.WriteBody(
            new()
            {
                What = new StreamOpened { Predecessor = predecessor },
                Actor = AuditActor.Broker("store"),
            }
        );
        Stream = SqlAuditStore.OpenStream(this);
        Head = ReadHead();
        Append(opened);
    }

    public override void CloseStream() => Tell(new StreamClosed());

    public override ChangeResult Apply(in PreparedChange change) => SqlTransitions.Apply(this, change);

    /// <summary>The broker's id, as its records say it; null where the stream is this process's alone.</summary>
    public virtual string? Broker => null;

    public override AuditPosition Append(ReadOnlySpan<byte> eventBody) => SqlAuditStore.Append(this, Stream, eventBody);

    public override void EndBatch(long sequenceBefore)
    {
        EndRecords(sequenceBefore);
        if (_isClockRepaired.Now)
        {
            BeginAnew();
        }
    }

    public override void Savepoint()
    {
        MarkSavepoint();
        _areHoldsChanged = false;
        // Of this change alone: what an undone one has placed is not there.
        PlacedHold = null;
        _isClockRepaired.AtSavepoint = _isClockRepaired.Now;
    }

    public override void RollbackToSavepoint()
    {
        ReturnToSavepoint();
        ForgetChangedOwners();
        if (_areHoldsChanged)
        {
            HoldsInForce = null;
        }

        _isClockRepaired.Now = _isClockRepaired.AtSavepoint;
    }

    public override void ReleaseSavepoint() => Execute("RELEASE SAVEPOINT change");

    public override void Commit()
    {
        Execute("COMMIT");
        KeepRepair();
    }

    public override void Rollback()
    {
        Execute("ROLLBACK");
        ForgetRepair();
    }

    /// <summary>Runs a statement; returns how many rows it changed.</summary>
    public int Execute(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        var statement = Bound(sql, parameters);
        try
        {
            statement.Step();
            return statement.Changes;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>
    /// Runs a statement of which nothing is asked but that it can be carried out. It may go to the database later,
    /// together with others; in their order, and before anything is read.
    /// </summary>
    public virtual void Write(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        Execute(sql, parameters);

    /// <summary>
    /// Writes a row. It may go to the database together with others of its kind, those first that came later: nothing that
    /// the batch does meanwhile may depend on it, but what changes that very row.
    /// </summary>
    public virtual void Write(SqlRows rows, params ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        Execute(rows.One, parameters);

    /// <summary>
    /// Runs a statement that nearly always changes one row; returns whether it does. Where that is assumed and wrong, the
    /// batch is applied again.
    /// </summary>
    public virtual bool ChangesOne(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        Execute(sql, parameters) == 1;

    /// <summary>
    /// Says at the beginning of a batch which row <see cref="ReadFirst"/> will be asked for, by one or two texts, so that an
    /// engine that is far can read it ahead. Whoever changes the row calls <see cref="Forget"/> or <see cref="Know"/>.
    /// </summary>
    public virtual void Foresee<T>(
        string sql,
        Func<SqlStatement, T> map,
        params ReadOnlySpan<(string Name, SqlValue Value)> parameters
    )
        where T : class { }

    /// <summary>Says that this row is no longer what may have been read ahead.</summary>
    public virtual void Forget(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters) { }

    /// <summary>The same, and what it is now.</summary>
    public virtual void Know<T>(string sql, T row, params ReadOnlySpan<(string Name, SqlValue Value)> parameters)
        where T : class { }

    /// <summary>Reads the first row; default when there is none.</summary>
    public virtual T? ReadFirst<T>(
        string sql,
        Func<SqlStatement, T> map,
        params ReadOnlySpan<(string Name, SqlValue Value)> parameters
    )
    {
        var statement = Bound(sql, parameters);
        try
        {
            return statement.Step() ? map(statement) : default;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>Reads all rows.</summary>
    public List<T> ReadAll<T>(
        string sql,
        Func<SqlStatement, T> map,
        params ReadOnlySpan<(string Name, SqlValue Value)> parameters
    )
    {
        var rows = new List<T>();
        var statement = Bound(sql, parameters);
        try
        {
            while (statement.Step())
            {
                rows.Add(map(statement));
            }
        }
        finally
        {
            statement.Reset();
        }

        return rows;
    }

    /// <summary>Reads one row by its columns' names; for what is rare.</summary>
    public virtual T? QueryFirst<T>(string sql, object parameters) =>
        connection.QueryFirstOrDefault<T>(sql, parameters);

    public override void Dispose()
    {
        ForgetStatements();
        connection.Dispose();
    }

    /// <summary>Those that come next are prepared anew.</summary>
    protected void ForgetStatements()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
    }

    /// <summary>The same as the newest stream's process left them, for who opens none.</summary>
    public StoreHead ReadNewest()
    {
        Stream = ReadFirst("SELECT coalesce(max(number), 0) FROM audit_stream", row => row.Number(0));
        return ReadHead();
    }

    /// <summary>Fence, policy version, this stream's newest record, holds and approvals, as the tables have them.</summary>
    protected StoreHead ReadHead()
    {
        var newest = SqlAuditStore.ReadHead(this, Stream);
        return ReadFirst(
            HeadText,
            row => new StoreHead(row.Number(0), row.Number(1), newest, row.Number(2))
            {
                Opening = Opening,
                Approvals = row.Number(3),
                Owners = row.Number(5),
                VaultChangedAt = row.IsNull(4) ? null : ColumnValue.Time(row.Number(4)),
            }
        );
    }

    /// <summary>How often the database was connected to anew.</summary>
    protected virtual long Opening => 0;

    /// <summary>
    /// Sets the time of the batch. A repair of the clock whose commit had no known outcome is undone before, unless it is
    /// there.
    /// </summary>
    protected void BeginNow()
    {
        if (_undoRepair is not null && !IsThere())
        {
            ForgetRepair();
        }

        (_undoRepair, _isClockRepaired, HoldsInForce) = (null, default, null);
        ForgetChangedOwners();
        _areOwnersChanged = false;
        TakeUpClock();
        ReadClock();
    }

    private void ForgetChangedOwners()
    {
        if (_areOwnersChanged)
        {
            RetiredOwners = null;
        }
    }

    /// <summary>Has the clock follow what others have persisted, where there are others.</summary>
    protected virtual void TakeUpClock() { }

    /// <summary>Puts on record what applying a change has come to, beside the change's own event.</summary>
    public void Tell(AuditEvent told)
    {
        Append(AuditRecordWriter.WriteBody(told));
        ToldBeside.Add(told);
    }

    /// <summary>Appends that this process has come, or goes.</summary>
    protected void Tell(AuditFact what) =>
        Append(AuditRecordWriter.WriteBody(new() { What = what, Actor = AuditActor.Broker("store") }));

    /// <summary>Whether the batch that was committed last, or was to be, is in the database.</summary>
    protected abstract bool IsThere();

    /// <summary>Marks the place to go back to.</summary>
    protected virtual void MarkSavepoint() => Execute("SAVEPOINT change");

    /// <summary>Goes back there.</summary>
    protected virtual void ReturnToSavepoint() => Execute("ROLLBACK TO SAVEPOINT change");

    /// <summary>What was repaired is committed.</summary>
    protected void KeepRepair() => _undoRepair = null;

    /// <summary>A repair that was not committed: all is as it was.</summary>
    private void ForgetRepair()
    {
        _undoRepair?.Invoke();
        _undoRepair = null;
    }

    /// <summary>Prepares a statement; it is kept for as long as the session.</summary>
    protected abstract SqlStatement Prepare(string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters);

    /// <summary>
    /// The clock is repaired, as the last thing of the batch: a new stream begins, because within one time never goes
    /// back, and what the old time put off is due again.
    /// </summary>
    private void BeginAnew()
    {
        var (stream, undo) = (Stream, clock.Repair());
        _undoRepair = () =>
        {
            undo();
            Stream = stream;
        };
        ReadClock();
        SqlLeaseStore.DrawBack(this);
        SqlHoldStore.DrawBack(this);
        SqlLimitStore.DrawBack(this);
        SqlIdempotencyStore.DrawBack(this);
        SqlApprovalStore.DrawBack(this);
        SqlTimeBoxStore.DrawBack(this);
        SqlNotificationStore.DrawBack(this);
        SqlEvaluationStore.DrawBack(this);
        SqlApproverStore.DrawBack(this);
        SqlActivityStore.DrawBack(this);
        BeginStream();
        EndRecords(0);
    }

    private void ReadClock()
    {
        Clock = clock.Read();
        Now = Clock.Now;
    }

    protected void EndRecords(long sequenceBefore)
    {
        if (Head.Audit.Sequence > sequenceBefore)
        {
            SqlAuditStore.EndBatch(this, Stream, sequenceBefore + 1);
        }
    }

    /// <summary>A statement, prepared once and set to these values.</summary>
    protected SqlStatement Bound(string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            _statements.Add(sql, statement = Prepare(sql, parameters));
        }

        statement.Bind(parameters);
        return statement;
    }
}
