using System.Text;
using CredBroker.Storage.Sql;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// A prepared statement on SQLite's own interface. The writer runs a few of them for every change, and there the cost
/// of ADO.NET's commands (parameters looked up by name, a reader per execution) would be as much as SQLite's own work.
/// </summary>
internal sealed class SqliteStatement : SqlStatement
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly int[] _indexes;

    public SqliteStatement(sqlite3 database, string sql, ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
        _indexes = new int[parameters.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            _indexes[i] = raw.sqlite3_bind_parameter_index(_statement, parameters[i].Name);
        }
    }

    public override int Changes => raw.sqlite3_changes(_database);

    public override void Bind(ReadOnlySpan<(string Name, SqlValue Value)> parameters)
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            Check(Bind(_indexes[i], in parameters[i].Value));
        }
    }

    public override bool Step()
    {
        var rc = raw.sqlite3_step(_statement);
        if (rc is raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return rc == raw.SQLITE_ROW;
        }

        Check(rc);
        return false;
    }

    public override void Reset() => raw.sqlite3_reset(_statement);

    public override bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public override long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    public override string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string();

    public override byte[] Bytes(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    public override void Dispose() => _statement.Dispose();

    private int Bind(int index, in SqlValue value) =>
        value.IsNull
            ? raw.sqlite3_bind_null(_statement, index)
            : value.Type switch
            {
                SqlType.Number => raw.sqlite3_bind_int64(_statement, index, value.Number),
                SqlType.Text => BindText(index, value.Text),
                SqlType.Utf8Text => raw.sqlite3_bind_text(_statement, index, value.Bytes),
                SqlType.Bytes => raw.sqlite3_bind_blob(_statement, index, value.Bytes),
                _ => throw new InvalidOperationException($"No column holds a {value.Type}."),
            };

    private int BindText(int index, string text)
    {
        var utf8 = text.Length <= 512 ? stackalloc byte[1536] : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        return raw.sqlite3_bind_text(_statement, index, utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
    }

    private void Check(int rc) => SqliteException.ThrowExceptionForRC(rc, _database);
}
