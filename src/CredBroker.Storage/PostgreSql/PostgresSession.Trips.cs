using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <content>What goes to the server with which trip: what is read ahead, put off and assumed.</content>
internal sealed partial class PostgresSession
{
    private const string SavepointText = "SAVEPOINT change";

    /// <summary>How long a free thread of the pool is waited for: many times what it takes one that is not blocked.</summary>
    private static readonly TimeSpan ThreadWithin = TimeSpan.FromMilliseconds(200);

    private readonly NpgsqlBatch _pipe;
    private readonly List<NpgsqlBatchCommand> _deferred = [];
    private readonly List<PostgresStatement> _lent = [];
    private readonly ForeseenRows _foreseen = new();

    // What was asked for ahead, in the order of its answers.
    private readonly List<(ForeseenRows.Key Key, PostgresStatement Statement, Func<SqlStatement, object> Map)> _asked =
    [];

    private readonly Dictionary<string, PostgresRows> _rows = new(ReferenceEqualityComparer.Instance);

    // What is assumed to change one row each, and where among it and among what is deferred the change begins that is
    // being made; -1 outside of one.
    private readonly List<NpgsqlBatchCommand> _assumed = [];
    private (int Deferred, int Assumed) _savepoint = (-1, -1);
    private bool _isSavepointSent;
    private bool _areLentSent;
    private bool _mayAssume;
    private bool _isOneByOne;

    /// <summary>
    /// Called by a statement that is set: what was sent before is over, and its commands can be set again.
    /// </summary>
    public void Lend(PostgresStatement statement)
    {
        if (_areLentSent)
        {
            _lent.ForEach(lent => lent.TakeBack());
            _lent.Clear();
            _areLentSent = false;
        }

        _lent.Add(statement);
    }

    /// <summary>Sends a statement, after what was deferred. Whoever reads the rows closes the reader.</summary>
    public NpgsqlDataReader Run(NpgsqlBatchCommand command)
    {
        _deferred.Add(command);
        return Send();
    }

    public override void Write(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        if (_mayAssume)
        {
            Defer(sql, parameters);
        }
        else
        {
            Execute(sql, parameters);
        }
    }

    /// <summary>Each by itself here; those that are sent together are put together then.</summary>
    public override void Write(SqlRows rows, params ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        if (!_mayAssume)
        {
            Execute(rows.One, parameters);
            return;
        }

        var statement = Defer(rows.One, parameters);
        if (!_rows.ContainsKey(statement.Sql))
        {
            _rows.Add(statement.Sql, new(rows.Many, parameters));
        }
    }

    public override bool ChangesOne(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        if (!_mayAssume)
        {
            return Execute(sql, parameters) == 1;
        }

        Defer(sql, parameters);
        _assumed.Add(_deferred[^1]);
        return true;
    }

    public override void Foresee<T>(
        string sql,
        Func<SqlStatement, T> map,
        params ReadOnlySpan<(string Name, SqlValue Value)> parameters
    )
    {
        var key = ForeseenRows.Key.Of(sql, parameters);
        if (_foreseen.TryFind(key, out _))
        {
            return;
        }

        // Until its answer is there, so that it is asked for once.
        _foreseen.Keep(key, null);
        _asked.Add((key, Defer(sql, parameters), map));
    }

    public override void Forget(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters) =>
        _foreseen.Forget(ForeseenRows.Key.Of(sql, parameters));

    public override void Know<T>(string sql, T row, params ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        if (_foreseen.Holds(sql))
        {
            _foreseen.Keep(ForeseenRows.Key.Of(sql, parameters), row);
        }
    }

    public override T? ReadFirst<T>(
        string sql,
        Func<SqlStatement, T> map,
        params ReadOnlySpan<(string Name, SqlValue Value)> parameters
    )
        where T : default
    {
        if (!_foreseen.Holds(sql))
        {
            return base.ReadFirst(sql, map, parameters);
        }

        var key = ForeseenRows.Key.Of(sql, parameters);
        if (!_foreseen.TryFind(key, out var row))
        {
            _foreseen.Keep(key, row = base.ReadFirst(sql, map, parameters));
        }

        return (T?)row;
    }

    public override T? QueryFirst<T>(string sql, object parameters)
        where T : default
    {
        Flush();
        return base.QueryFirst<T>(sql, parameters);
    }

    public override void ReleaseSavepoint()
    {
        _savepoint = (-1, -1);
        if (_isSavepointSent)
        {
            Defer("RELEASE SAVEPOINT change");
            _isSavepointSent = false;
        }
    }

    /// <summary>Made only where something of the change goes to the server before the change is over.</summary>
    protected override void MarkSavepoint()
    {
        _savepoint = (_deferred.Count, _assumed.Count);
        _foreseen.Savepoint();
    }

    protected override void ReturnToSavepoint()
    {
        _deferred.RemoveRange(_savepoint.Deferred, _deferred.Count - _savepoint.Deferred);
        _assumed.RemoveRange(_savepoint.Assumed, _assumed.Count - _savepoint.Assumed);
        _foreseen.RollbackToSavepoint();
        if (_isSavepointSent)
        {
            Defer("ROLLBACK TO SAVEPOINT change");
        }
    }

    private PostgresStatement Defer(string sql, params ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        var statement = (PostgresStatement)Bound(sql, parameters);
        _deferred.Add(statement.Command);
        return statement;
    }

    private void Flush()
    {
        if (_deferred.Count > 0)
        {
            Send().Dispose();
        }
    }

    /// <summary>Nothing is under way.</summary>
    private void Drop()
    {
        _deferred.Clear();
        _assumed.Clear();
        _asked.Clear();
        _foreseen.Clear();
        (_savepoint, _isSavepointSent) = ((-1, -1), false);
    }

    private NpgsqlDataReader Send()
    {
        if (_savepoint.Deferred >= 0 && !_isSavepointSent)
        {
            Defer(SavepointText);
            _deferred.Insert(_savepoint.Deferred, _deferred[^1]);
            _deferred.RemoveAt(_deferred.Count - 1);
            _isSavepointSent = true;
        }

        var sent = _mayAssume ? Together() : _deferred.ToArray();
        _deferred.Clear();
        _savepoint = _savepoint.Deferred < 0 ? _savepoint : (0, 0);
        _areLentSent = true;
        try
        {
            var alone = _isOneByOne ? sent.Length - 1 : 0;
            foreach (var command in sent.AsSpan(0, alone))
            {
                Put([command]);
                _pipe.ExecuteNonQuery();
            }

            Put(sent.AsSpan(alone));
            var reader = _pipe.ExecuteReader();
            if (!_assumed.Exists(command => command.RecordsAffected != 1))
            {
                _assumed.Clear();
                return reader;
            }

            reader.Dispose();
        }
        catch (PostgresException e) when (IsWrongAssumption(e))
        {
            throw new WrongAssumptionException("A row cannot be written.", e);
        }

        throw new WrongAssumptionException("An update did not find its row.");
    }

    /// <summary>
    /// What is sent now, with the rows of a kind in one statement, where the first of them stood: a batch is a few
    /// statements, however many changes it has. Only past what changes one row by its id, and other such rows: whatever
    /// else there is finds all that came before it and nothing that comes after.
    /// </summary>
    private NpgsqlBatchCommand[] Together()
    {
        var sent = new List<NpgsqlBatchCommand>(_deferred.Count);
        var assumed = _assumed.ToHashSet<NpgsqlBatchCommand>(ReferenceEqualityComparer.Instance);
        var open = new Dictionary<PostgresRows, (int Place, List<NpgsqlBatchCommand> Rows)>();
        foreach (var command in _deferred)
        {
            if (_rows.TryGetValue(command.CommandText, out var kind))
            {
                if (open.TryGetValue(kind, out var together))
                {
                    together.Rows.Add(command);
                    continue;
                }

                open.Add(kind, (sent.Count, [command]));
            }
            else if (!assumed.Contains(command))
            {
                Close();
            }

            sent.Add(command);
        }

        Close();
        return [.. sent];

        void Close()
        {
            foreach (var (kind, (place, rows)) in open)
            {
                if (rows.Count > 1)
                {
                    sent[place] = kind.Of(rows);
                }
            }

            open.Clear();
        }
    }

    private void Put(ReadOnlySpan<NpgsqlBatchCommand> commands)
    {
        _pipe.BatchCommands.Clear();
        foreach (var command in commands)
        {
            _pipe.BatchCommands.Add(command);
        }
    }

    private static bool HasPoolThread()
    {
        // Not disposed: it may be set when nobody waits any more.
        var had = new ManualResetEventSlim();
        ThreadPool.UnsafeQueueUserWorkItem(static had => had.Set(), had, preferLocal: false);
        return had.Wait(ThreadWithin);
    }

    private bool IsWrongAssumption(PostgresException failure) => _mayAssume && IsOwnFault(failure);
}
