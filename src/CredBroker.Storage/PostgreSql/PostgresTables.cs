using CredBroker.Storage.Sql;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>The tables of a PostgreSQL schema.</summary>
internal sealed class PostgresTables : SqlTables
{
    public const string Folder = "PostgreSql";

    private PostgresTables(string place, NpgsqlConnection connection)
        : base(Folder, place, connection) { }

    protected override IReadOnlySet<string> Own { get; } = new HashSet<string> { "writer" };

    /// <summary>To read only, also while a broker uses the schema.</summary>
    public static PostgresTables OpenToRead(StorageOptions options)
    {
        var (connection, place) = PostgresDatabase.OpenToRead(options);
        return new(place, connection);
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
                [.. table.Select(column => new SqlColumn(column.Column, TypeOf(column.Table, column.Type)))],
                [
                    .. table
                        .Where(column => column.Key >= 0)
                        .OrderBy(column => column.Key)
                        .Select(column => column.Column),
                ]
            ));

    private static SqlType TypeOf(string table, string declared) =>
        declared switch
        {
            "bigint" or "integer" => SqlType.Number,
            "bytea" => SqlType.Bytes,
            "text" => SqlType.Text,
            _ when table == SqlMigrations.Journal => SqlType.Text,
            _ => throw new InvalidOperationException($"No table of the store has columns of the type {declared}."),
        };
}
