using System.Text.RegularExpressions;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// Each change of the tables is written twice, once for each engine. What the migrations of the two have made is
/// compared: tables, columns, keys, indexes, checks and triggers, as both databases describe them.
/// </summary>
public sealed partial class SchemaTwinTests(SharedPostgres shared) : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    /// <summary>What stands on one side alone, and why.</summary>
    private static readonly Dictionary<string, string> OnSqliteAlone = new()
    {
        ["store.batch number not null"] = "the file's one writer has its batch in the one row",
        ["store.counted default 0"] = "added to rows that were there",
        [
            "index lease_live on lease id,agent,workload,instance,subject,task,process,credential,owner,issuer,trust_domain"
                + "whereconfirmed_atisnull"
        ] = "one pass over it answers any selector",
        ["index lease_revoking on lease backend,lane,coalescenext_attempt_at,0wherestatein'revoking','failed'"] =
            "what is equal stands in the order of the table's key by itself",
    };

    private static readonly Dictionary<string, string> OnPostgresAlone = new()
    {
        ["table writer"] = "each run of a broker has its batch in a row of its own",
        ["writer.id text not null"] = "the same",
        ["writer.batch number not null"] = "the same",
        ["key of writer (id)"] = "the same",
        ["index lease_live on lease idwhereconfirmed_atisnull"] = "a row of an index holds no more than 2.7 kB",
        ["index lease_revoking on lease backend,lane,coalescenext_attempt_at,0,idwherestatein'revoking','failed'"] =
            "what is equal stands in the order of the rows' places",
        ["trigger on audit_record before truncate"] = "SQLite has no TRUNCATE",
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-twins-").FullName;
    private PostgresSchema _schema = null!;

    public async ValueTask InitializeAsync() => _schema = await PostgresSchema.MakeAsync(await shared.GetAsync());

    public ValueTask DisposeAsync()
    {
        _schema?.Dispose();
        Directory.Delete(_directory, recursive: true);
        return default;
    }

    [Fact]
    public async Task Both_engines_migrations_make_the_same_tables()
    {
        var (sqlite, postgres) = (OfSqlite(), await OfPostgresAsync());
        Assert.Contains("table lease", sqlite);
        Assert.Contains("lease.id text not null", sqlite);
        Assert.Equal(Lines(OnSqliteAlone.Keys), Lines(sqlite.Except(postgres)));
        Assert.Equal(Lines(OnPostgresAlone.Keys), Lines(postgres.Except(sqlite)));
    }

    [Theory]
    [InlineData("ALTER TABLE lease ADD COLUMN more TEXT", "lease.more text")]
    [InlineData("ALTER TABLE lease ALTER COLUMN cause SET NOT NULL", "lease.cause text not null")]
    [InlineData("CREATE INDEX more ON task (id)", "index more on task id")]
    [InlineData(
        "DROP INDEX lease_expiring; CREATE INDEX lease_expiring ON lease (expires_at) WHERE state = 'pending'",
        "index lease_expiring on lease expires_atwherestate='pending'"
    )]
    [InlineData(
        "CREATE TRIGGER more BEFORE INSERT ON task EXECUTE FUNCTION audit_log_is_append_only()",
        "trigger on task before insert"
    )]
    [InlineData("CREATE TABLE more (id BIGINT PRIMARY KEY)", "table more")]
    public async Task What_one_engine_has_alone_is_seen(string change, string seen)
    {
        var before = await OfPostgresAsync();
        await _schema.ExecuteAsync(change);
        Assert.Contains(seen, Of(await DescribeAsync()).Except(before));
    }

    [Fact]
    public async Task What_is_looked_for_in_the_order_of_ids_is_compared_byte_by_byte_whatever_the_databases_language_is()
    {
        await OfPostgresAsync();
        await using var connection = await (await shared.GetAsync()).ConnectAsync();
        await using var query = new NpgsqlCommand(
            $"""
            SELECT table_name || '.' || column_name FROM information_schema.columns
            WHERE table_schema = '{_schema.Name}' AND collation_name = 'C'
            """,
            connection
        );
        var compared = new List<string>();
        await using var rows = await query.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            compared.Add(rows.GetString(0));
        }

        Assert.Superset(
            Of(["lease.id", "revocation_order.id", "revocation_reach.lease", "revocation_reach.revocation"]),
            Of(compared)
        );
    }

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines.Order(StringComparer.Ordinal));

    private static HashSet<string> Of(IEnumerable<string> lines) => [.. lines];

    private async Task<HashSet<string>> OfPostgresAsync()
    {
        PostgresBrokerStore
            .Open(_schema.Options, TimeProvider.System, NullLogger<PostgresBrokerStore>.Instance)
            .Dispose();
        return Of(await DescribeAsync());
    }

    private async Task<List<string>> DescribeAsync()
    {
        await using var connection = await (await shared.GetAsync()).ConnectAsync();
        await using (var set = new NpgsqlCommand($"SET search_path = {_schema.Name}", connection))
        {
            await set.ExecuteNonQueryAsync();
        }

        var said = new List<string>();
        foreach (
            var query in new[]
            {
                "SELECT 'table ' || relname FROM tables",
                """
                    SELECT relname || '.' || attname || ' ' || CASE format_type(atttypid, NULL)
                        WHEN 'bigint' THEN 'number' WHEN 'integer' THEN 'number' WHEN 'bytea' THEN 'bytes'
                        ELSE format_type(atttypid, NULL) END
                      || CASE WHEN attnotnull AND attgenerated = '' THEN ' not null' ELSE '' END
                    FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
                    """,
                """
                    SELECT relname || '.' || attname || CASE attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END
                      || pg_get_expr(adbin, adrelid)
                    FROM tables JOIN pg_attribute ON attrelid = tables.oid
                    JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                    """,
                """
                    SELECT CASE WHEN indisprimary THEN 'key of ' || relname WHEN indisunique THEN 'unique in ' || relname
                        ELSE 'index ' || indexrelid::regclass || ' on ' || relname END
                      || ' (' || (SELECT string_agg(pg_get_indexdef(indexrelid, n, true), ', ' ORDER BY n)
                        FROM generate_series(1, indnatts) n) || ')'
                      || coalesce(' where ' || pg_get_expr(indpred, indrelid), '')
                    FROM tables JOIN pg_index ON indrelid = tables.oid
                    """,
                """
                    SELECT 'check of ' || relname || ' ' || pg_get_constraintdef(c.oid)
                    FROM tables JOIN pg_constraint c ON conrelid = tables.oid AND contype = 'c'
                    """,
                """
                    SELECT 'trigger on ' || relname || ' ' || CASE WHEN tgtype & 2 > 0 THEN 'before' ELSE 'after' END
                      || ' ' || event
                    FROM tables JOIN pg_trigger ON tgrelid = tables.oid AND NOT tgisinternal
                    JOIN (VALUES (4, 'insert'), (8, 'delete'), (16, 'update'), (32, 'truncate')) AS events (bit, event)
                      ON tgtype & bit > 0
                    """,
            }
        )
        {
            await using var command = new NpgsqlCommand(
                $"""
                WITH tables AS (
                  SELECT oid, relname FROM pg_class
                  WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname <> 'schemaversions'
                )
                {query}
                """,
                connection
            );
            await using var rows = await command.ExecuteReaderAsync();
            while (await rows.ReadAsync())
            {
                said.Add(Plain(rows.GetString(0)));
            }
        }

        return said;
    }

    private HashSet<string> OfSqlite()
    {
        var file = Path.Combine(_directory, "broker.db");
        SqliteBrokerStore
            .Open(new() { SqliteFile = file }, TimeProvider.System, NullLogger<SqliteBrokerStore>.Instance)
            .Dispose();
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        var said = new List<string>();
        foreach (
            var (table, sql) in Read(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('SchemaVersions', 'sqlite_sequence')",
                row => (row.GetString(0), Comment().Replace(row.GetString(1), ""))
            )
        )
        {
            said.Add($"table {table}");
            var columns = Read(
                $"SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo('{table}')",
                row =>
                    (
                        Name: row.GetString(0),
                        Type: row.GetString(1).Split(' ')[0] switch
                        {
                            "INTEGER" => "number",
                            "BLOB" => "bytes",
                            var other => other.ToLowerInvariant(),
                        },
                        IsSet: row.GetInt32(2) == 1 || row.GetInt32(4) > 0,
                        Default: row.IsDBNull(3) ? null : row.GetString(3),
                        Key: row.GetInt32(4),
                        IsGenerated: row.GetInt32(5) > 0
                    )
            );
            foreach (var column in columns)
            {
                said.Add(
                    $"{table}.{column.Name} {column.Type}{(column is { IsSet: true, IsGenerated: false } ? " not null" : "")}"
                );
                if (column.Default is not null)
                {
                    said.Add($"{table}.{column.Name} default {column.Default}");
                }

                if (column.IsGenerated)
                {
                    said.Add(
                        $"{table}.{column.Name} generated {Within(sql, sql.IndexOf($"{column.Name} INTEGER GENERATED", StringComparison.Ordinal))}"
                    );
                }
            }

            var key = columns
                .Where(column => column.Key > 0)
                .OrderBy(column => column.Key)
                .Select(column => column.Name);
            said.Add($"key of {table} ({string.Join(", ", key)})");
            said.AddRange(Check().Matches(sql).Select(check => $"check of {table} CHECK {Within(sql, check.Index)}"));
            said.AddRange(
                Read($"SELECT name FROM pragma_index_list('{table}') WHERE origin = 'u'", row => row.GetString(0))
                    .Select(index =>
                        $"unique in {table} ({string.Join(", ", Read($"SELECT name FROM pragma_index_info('{index}')", row => row.GetString(0)))})"
                    )
            );
        }

        foreach (
            var (name, table, sql) in Read(
                "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
                row => (row.GetString(0), row.GetString(1), row.GetString(2))
            )
        )
        {
            var columns = Within(sql, 0);
            var where = sql.IndexOf("WHERE", StringComparison.Ordinal);
            var kind = sql.StartsWith("CREATE UNIQUE", StringComparison.Ordinal)
                ? $"unique in {table}"
                : $"index {name} on {table}";
            said.Add($"{kind} {columns}{(where < 0 ? "" : $" where {sql[(where + 5)..]}")}");
        }

        said.AddRange(
            Read(
                "SELECT sql FROM sqlite_schema WHERE type = 'trigger'",
                row =>
                    Trigger().Match(row.GetString(0)) is var trigger
                        ? $"trigger on {trigger.Groups["table"]} {trigger.Groups["when"]} {trigger.Groups["event"]}".ToLowerInvariant()
                        : ""
            )
        );
        return Of(said.Select(Plain));

        List<T> Read<T>(string query, Func<SqliteDataReader, T> map)
        {
            using var command = connection.CreateCommand();
            command.CommandText = query;
            using var rows = command.ExecuteReader();
            var all = new List<T>();
            while (rows.Read())
            {
                all.Add(map(rows));
            }

            return all;
        }
    }

    /// <summary>The first parentheses from there on, with what is in them.</summary>
    private static string Within(string sql, int from)
    {
        var start = sql.IndexOf('(', from);
        var (end, depth) = (start, 0);
        do
        {
            depth += sql[end] switch
            {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            end++;
        } while (depth > 0);
        return sql[start..end];
    }

    /// <summary>
    /// A line as both engines would write it: an expression without the casts, parentheses and spaces that PostgreSQL puts
    /// in. Lists of columns stay as they are.
    /// </summary>
    private static string Plain(string line)
    {
        line = line.Replace("\"", "", StringComparison.Ordinal);
        var isColumns =
            line.StartsWith("key ", StringComparison.Ordinal)
            || (
                line.StartsWith("unique ", StringComparison.Ordinal)
                && !line.Contains(" where ", StringComparison.Ordinal)
            );
        if (isColumns || Expression().Match(line) is not { Success: true } expression)
        {
            return line;
        }

        var text = Cast().Replace(Quoted().Replace(expression.Groups["text"].Value, "$1"), "");
        text = Any().Replace(text, " in $1");
        text = None().Replace(text, " not in $1");
        return expression.Groups["before"].Value + Space().Replace(text, "").ToLowerInvariant();
    }

    [GeneratedRegex(
        @"^(?<before>(index|unique in) [^(]+ |\S+ (default|generated) |check of \S+ )(?<text>.*)$",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Expression();

    [GeneratedRegex(@"'([0-9]+)'(?=::bigint)")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"::[a-z]+(\[\])?")]
    private static partial Regex Cast();

    [GeneratedRegex(@"\s*= ANY \(ARRAY\[(.*?)\]\)")]
    private static partial Regex Any();

    [GeneratedRegex(@"\s*<> ALL \(ARRAY\[(.*?)\]\)")]
    private static partial Regex None();

    [GeneratedRegex(@"[\s()]")]
    private static partial Regex Space();

    [GeneratedRegex(@"CHECK")]
    private static partial Regex Check();

    [GeneratedRegex(@"--[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(
        @"TRIGGER \S+ (?<when>BEFORE|AFTER) (?<event>INSERT|UPDATE|DELETE) ON (?<table>\S+)",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Trigger();
}
