using Dapper;
using Microsoft.Data.Sqlite;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The writer's connection with its prepared statements, and what the open transaction knows: the batch's time and the
/// numbers and audit head as they stand after the changes before. Used by one thread.
/// </summary>
internal sealed class WriteSession(SqliteConnection connection) : IDisposable
{
    // By reference: every statement is a literal beside the method that runs it.
    private readonly Dictionary<string, Statement> _statements = new(ReferenceEqualityComparer.Instance);

    /// <summary>The time of the batch.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary><see cref="Now"/> as columns hold it.</summary>
    public long NowColumn => Column.From(Now);

    /// <summary>Fence, policy version and audit head, uncommitted changes of this transaction included.</summary>
    public StoreHead Head { get; set; }

    /// <summary>Whether SQLite still has the transaction; some errors end it at once.</summary>
    public bool InTransaction => SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0;

    /// <summary>Runs a statement; returns how many rows it changed.</summary>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var statement = Prepare(sql, parameters);
        try
        {
            statement.Step();
            return SQLitePCL.raw.sqlite3_changes(connection.Handle);
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>Reads the first row; default when there is none.</summary>
    public T? ReadFirst<T>(
        string sql,
        Func<Statement, T> map,
        params ReadOnlySpan<(string Name, object? Value)> parameters
    )
    {
        var statement = Prepare(sql, parameters);
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
        Func<Statement, T> map,
        params ReadOnlySpan<(string Name, object? Value)> parameters
    )
    {
        var rows = new List<T>();
        var statement = Prepare(sql, parameters);
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
    public T? QueryFirst<T>(string sql, object parameters) => connection.QueryFirstOrDefault<T>(sql, parameters);

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        connection.Dispose();
    }

    private Statement Prepare(string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            _statements.Add(sql, statement = new(connection.Handle!, sql, parameters));
        }

        statement.Bind(parameters);
        return statement;
    }
}
