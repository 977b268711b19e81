using CredBroker.Core.State;
using CredBroker.Storage.Sql;
using Microsoft.Data.Sqlite;

namespace CredBroker.Storage.Sqlite;

/// <summary>The tables of an SQLite file.</summary>
internal sealed class SqliteTables : SqlTables
{
    public const string Folder = "Sqlite";

    private readonly SqliteFile? _file;

    private SqliteTables(string path, SqliteConnection connection, SqliteFile? file = null)
        : base(Folder, path, connection) => _file = file;

    protected override IReadOnlySet<string> Own { get; } = new HashSet<string> { "store.batch" };

    /// <summary>To read only, also while a broker uses the file.</summary>
    /// <exception cref="StoreUnavailableException">There is no such file, or it cannot be read.</exception>
    public static SqliteTables OpenToRead(StorageOptions options)
    {
        var path = Existing(options);
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false,
                DefaultTimeout = 5,
            }.ToString()
        );
        try
        {
            connection.Open();
            return new(path, connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>To read and write, with the file's lock, made and migrated where need be.</summary>
    /// <exception cref="StoreUnavailableException">It cannot be used, or a broker uses it; the message says why.</exception>
    public static SqliteTables OpenAlone(StorageOptions options)
    {
        var file = SqliteFile.Open(options.SqliteFile, evenClosed: true);
        try
        {
            return new(file.Path, file.OpenWriter(), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Where the file is.</summary>
    /// <exception cref="StoreUnavailableException">There is none: it is not made by who only looks at it.</exception>
    public static string Existing(StorageOptions options)
    {
        var path = SqliteFile.Resolve(options.SqliteFile);
        return new FileInfo(path) is { Exists: true, Length: > 0 }
            ? path
            : throw new StoreUnavailableException($"There is no store at {path}.");
    }

    public override long Bytes() => Length(Place) + Length(Place + "-wal");

    public override void Begin() => Execute("BEGIN IMMEDIATE");

    public override void Fill(SqlTable table, IEnumerable<object?[]> rows)
    {
        var own = Own.Where(name => name.StartsWith($"{table.Name}.", StringComparison.Ordinal))
            .Select(name => name[(table.Name.Length + 1)..])
            .ToList();
        using var insert = Command(
            $"INSERT INTO {Quoted(table.Name)} ({string.Join(", ", own.Select(Quoted).Prepend(Names(table)))}) VALUES "
                + $"({string.Join(", ", own.Select(_ => "0").Prepend(string.Join(", ", table.Columns.Select((_, i) => $"@{i}"))))})"
        );
        var values = table.Columns.Select((_, i) => new SqliteParameter { ParameterName = $"@{i}" }).ToArray();
        insert.Parameters.AddRange(values);
        foreach (var row in rows)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i].Value = row[i] switch
                {
                    null => DBNull.Value,
                    var text when table.Columns[i].Type == SqlType.Text => Text(text),
                    var value => value,
                };
            }

            insert.ExecuteNonQuery();
        }
    }

    /// <summary>SQLite numbers after the greatest there is.</summary>
    public override void Settle() { }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _file?.Dispose();
    }

    protected override IEnumerable<SqlTable> Describe() =>
        Read(
                """
                SELECT t.name, c.name, c.type, c.pk
                FROM sqlite_schema t, pragma_table_xinfo(t.name) c
                WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND c.hidden = 0
                ORDER BY t.name, c.cid
                """,
                row => (Table: row.GetString(0), Column: row.GetString(1), Type: row.GetString(2), Key: row.GetInt64(3))
            )
            .GroupBy(row => row.Table)
            .Select(table => new SqlTable(
                table.Key,
                [.. table.Select(column => new SqlColumn(column.Column, TypeOf(column.Type), column.Type))],
                [.. table.Where(column => column.Key > 0).OrderBy(column => column.Key).Select(column => column.Column)]
            ));

    private static long Length(string path) => new FileInfo(path) is { Exists: true, Length: var length } ? length : 0;

    private static SqlType TypeOf(string declared) =>
        declared.ToUpperInvariant() switch
        {
            "INTEGER" or "INT" => SqlType.Number,
            "BLOB" => SqlType.Bytes,
            _ => SqlType.Text,
        };
}
