using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// A prepared statement on SQLite's own interface. The writer runs a few of them for every change, and there the cost
/// of ADO.NET's commands (parameters looked up by name, a reader per execution) would be as much as SQLite's own work.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly int[] _indexes;

    public Statement(sqlite3 database, string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
        _indexes = new int[parameters.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            _indexes[i] = raw.sqlite3_bind_parameter_index(_statement, parameters[i].Name);
        }
    }

    /// <summary>Starts over with these values.</summary>
    public void Bind(ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            var index = _indexes[i];
            Check(
                parameters[i].Value switch
                {
                    null => raw.sqlite3_bind_null(_statement, index),
                    string text => BindText(index, text),
                    Utf8Text text => raw.sqlite3_bind_text(_statement, index, text.Bytes.Span),
                    long number => raw.sqlite3_bind_int64(_statement, index, number),
                    byte[] bytes => raw.sqlite3_bind_blob(_statement, index, bytes),
                    var other => throw new InvalidOperationException($"No column holds a {other.GetType().Name}."),
                }
            );
        }
    }

    /// <summary>Advances; false after the last row.</summary>
    public bool Step()
    {
        var rc = raw.sqlite3_step(_statement);
        if (rc is raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return rc == raw.SQLITE_ROW;
        }

        Check(rc);
        return false;
    }

    public void Reset() => raw.sqlite3_reset(_statement);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string();

    public byte[] Bytes(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    public void Dispose() => _statement.Dispose();

    private int BindText(int index, string text)
    {
        var utf8 = text.Length <= 512 ? stackalloc byte[1536] : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        return raw.sqlite3_bind_text(_statement, index, utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
    }

    private void Check(int rc) => SqliteException.ThrowExceptionForRC(rc, _database);
}

/// <summary>A value for a text column that is in UTF-8 already.</summary>
internal sealed record Utf8Text(ReadOnlyMemory<byte> Bytes);
