using CredBroker.Core.State;
using CredBroker.Storage.Sql;
using Npgsql;
using NpgsqlTypes;

namespace CredBroker.Storage.PostgreSql;

/// <summary>The tables of a PostgreSQL schema.</summary>
internal sealed class PostgresTables : SqlTables
{
    public const string Folder = "PostgreSql";

    private readonly NpgsqlConnection _connection;
    private readonly PostgresDatabase? _database;

    private PostgresTables(string place, NpgsqlConnection connection, PostgresDatabase? database = null)
        : base(Folder, place, connection) => (_connection, _database) = (connection, database);

    /// <summary>With the number that the cluster was given when it was made, or as much as this user may know.</summary>
    public override string Whereabouts =>
        Read("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')", row => row.GetBoolean(0)) is [true]
            ? $"{Place}, server {Only("SELECT system_identifier::text FROM pg_control_system()")}"
            : $"{Place}, schema {Only("SELECT current_schema()::regnamespace::oid::text")}";

    protected override IReadOnlySet<string> Own { get; } = new HashSet<string> { "writer" };

    /// <summary>To read only, also while a broker uses the schema.</summary>
    public static PostgresTables OpenToRead(StorageOptions options)
    {
        var (connection, place) = PostgresDatabase.OpenToRead(options);
        return new(place, connection);
    }

    /// <summary>To read and write, with the schema's lock, its tables made and migrated where need be.</summary>
    /// <exception cref="StoreUnavailableException">It cannot be used, or a broker uses it; the message says why.</exception>
    public static PostgresTables OpenAlone(StorageOptions options)
    {
        var database = PostgresDatabase.Open(
            options,
            new(TimeProvider.System, isRead: false),
            isAlone: true,
            evenClosed: true
        );
        var tables = new PostgresTables(database.Place, database.OpenWriter(), database);
        try
        {
            // What waits within the transaction waits for the other store, and may be much.
            tables.Execute("SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0");
            return tables;
        }
        catch
        {
            tables.Dispose();
            throw;
        }
    }

    /// <summary>One snapshot, and the row that every batch of a broker locks first.</summary>
    public override void Begin() => Execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT id FROM store FOR UPDATE");

    private string Only(string query) => Read(query, row => row.GetString(0))[0];

    public override void Fill(SqlTable table, IEnumerable<object?[]> rows)
    {
        var types = All.Single(mine => mine.Name == table.Name).Columns.ToDictionary(column => column.Name, TypeOf);
        var columns = table.Columns.Select(column => types[column.Name]).ToArray();
        using var copy = _connection.BeginBinaryImport(
            $"COPY {Quoted(table.Name)} ({Names(table)}) FROM STDIN (FORMAT BINARY)"
        );
        copy.Timeout = TimeSpan.Zero;
        foreach (var row in rows)
        {
            copy.StartRow();
            for (var i = 0; i < columns.Length; i++)
            {
                switch (row[i])
                {
                    case null:
                        copy.WriteNull();
                        break;
                    case long number when columns[i] == NpgsqlDbType.Integer:
                        copy.Write(checked((int)number), NpgsqlDbType.Integer);
                        break;
                    case long number:
                        copy.Write(number, NpgsqlDbType.Bigint);
                        break;
                    case { } text when columns[i] == NpgsqlDbType.Text:
                        copy.Write(Text(text), NpgsqlDbType.Text);
                        break;
                    case { } bytes:
                        copy.Write((byte[])bytes, NpgsqlDbType.Bytea);
                        break;
                }
            }
        }

        copy.Complete();
    }

    public override void Settle()
    {
        foreach (
            var (table, column) in Read(
                """
                SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = current_schema() AND is_identity = 'YES'
                """,
                row => (row.GetString(0), row.GetString(1))
            )
        )
        {
            var (of, number) = (Quoted(table), Quoted(column));
            Execute(
                $"SELECT setval(pg_get_serial_sequence(@table, @column), coalesce(max({number}), 0) + 1, false) FROM {of}",
                ("@table", of),
                ("@column", column)
            );
        }

        // The planner knows nothing of them until then.
        Execute(string.Join("; ", All.Select(table => $"ANALYZE {Quoted(table.Name)}")));
    }

    public override long Bytes() =>
        Read(
            """
            SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
            """,
            row => row.GetInt64(0)
        )[0];

    protected override IEnumerable<SqlTable> Describe() =>
        Read(
                """
                SELECT t.relname, c.attname, format_type(c.atttypid, NULL), coalesce(array_position(k.indkey::int2[], c.attnum), -1)
                FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
                LEFT JOIN pg_index k ON k.indrelid = t.oid AND k.indisprimary
                WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND c.attgenerated = ''
                ORDER BY t.relname, c.attnum
                """,
                row => (Table: row.GetString(0), Column: row.GetString(1), Type: row.GetString(2), Key: row.GetInt32(3))
            )
            .GroupBy(row => row.Table)
            .Select(table => new SqlTable(
                table.Key,
                [
                    .. table.Select(column => new SqlColumn(
                        column.Column,
                        TypeOf(column.Table, column.Type),
                        column.Type
                    )),
                ],
                [
                    .. table
                        .Where(column => column.Key >= 0)
                        .OrderBy(column => column.Key)
                        .Select(column => column.Column),
                ]
            ));

    protected override string Sorted(SqlColumn column) =>
        column.Type == SqlType.Text ? $"{base.Sorted(column)} COLLATE \"C\"" : base.Sorted(column);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _database?.Dispose();
    }

    private static NpgsqlDbType TypeOf(SqlColumn column) =>
        column.Type switch
        {
            SqlType.Number => column.Declared == "integer" ? NpgsqlDbType.Integer : NpgsqlDbType.Bigint,
            SqlType.Bytes => NpgsqlDbType.Bytea,
            _ => NpgsqlDbType.Text,
        };

    private static SqlType TypeOf(string table, string declared) =>
        declared switch
        {
            "bigint" or "integer" => SqlType.Number,
            "bytea" => SqlType.Bytes,
            "text" => SqlType.Text,
            _ when table == SqlMigrations.Journal => SqlType.Text,
            _ => throw new StoreUnavailableException(
                $"The table {table} is none of a store's: it has a column of the type {declared}. A store has a schema of "
                    + "its own."
            ),
        };
}
