using System.Data.Common;
using System.Globalization;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sqlite;
using CredBroker.Storage.Upkeep;
using CredBroker.Testing.Processes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>A store of a test's own on either engine, and how the command line names it.</summary>
internal abstract class UpkeepStore : IDisposable
{
    public const string Sqlite = "sqlite";
    public const string Postgres = "postgres";

    /// <summary>As <c>--store</c> takes it.</summary>
    public abstract string Argument { get; }

    public abstract StorageOptions Options { get; }

    public static async Task<UpkeepStore> MakeAsync(string engine, SharedPostgres postgres) =>
        engine == Postgres ? await OnPostgres.MakeAsync(await postgres.GetAsync()) : new OnSqlite();

    /// <summary>On the schema, wherever its connection string leads.</summary>
    public static UpkeepStore On(TestPostgres postgres, PostgresSchema schema) => new OnPostgres(postgres, schema);

    /// <summary>Has a broker's store on it, with its lock.</summary>
    public abstract SqlBrokerStore Open(TimeProvider time);

    public abstract Task ExecuteAsync(string sql);

    /// <summary>As the product reads it.</summary>
    public abstract SqlTables Tables();

    /// <summary>All tables, as the engine lists them.</summary>
    public abstract Task<IReadOnlyList<string>> TablesAsync();

    /// <summary>All columns of one.</summary>
    public abstract Task<IReadOnlyList<string>> ColumnsAsync(string table);

    /// <summary>Takes a record out of the audit log, as somebody does who may change the schema.</summary>
    public abstract Task ForgeAsync();

    /// <summary>Has the database change what is put into the table of leases.</summary>
    public abstract Task AlterInsertedLeasesAsync();

    /// <summary>Makes a store on which no broker has run.</summary>
    public abstract Task MakeEmptyAsync();

    public abstract void Dispose();

    /// <summary>What every table holds that is a store's on any engine, as sorted text.</summary>
    public async Task<Dictionary<string, List<string>>> RowsAsync()
    {
        var all = new Dictionary<string, List<string>>();
        foreach (var table in (await TablesAsync()).Except(["SchemaVersions", "schemaversions", "writer"]))
        {
            var columns = (await ColumnsAsync(table)).Except(["lane", "batch"]).Order(StringComparer.Ordinal);
            var rows = await ReadAsync($"SELECT {string.Join(", ", columns)} FROM {table}");
            all[table] = [.. rows.Order(StringComparer.Ordinal)];
        }

        return all;
    }

    /// <summary>The tables without a row.</summary>
    public async Task<IReadOnlyList<SqlTable>> EmptyTablesAsync()
    {
        var rows = await RowsAsync();
        using var tables = Tables();
        return [.. tables.All.Where(table => rows[table.Name].Count == 0)];
    }

    protected abstract Task<IReadOnlyList<string>> ReadAsync(string sql);

    private static async Task<IReadOnlyList<string>> ReadAsync(DbCommand command)
    {
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(
                string.Join(
                    '|',
                    Enumerable
                        .Range(0, reader.FieldCount)
                        .Select(i =>
                            reader.GetValue(i) switch
                            {
                                DBNull => "(null)",
                                byte[] bytes => Convert.ToHexString(bytes),
                                var value => Convert.ToString(value, CultureInfo.InvariantCulture),
                            }
                        )
                )
            );
        }

        return rows;
    }

    private sealed class OnSqlite : UpkeepStore
    {
        private readonly TemporaryFolder _folder = new();

        public override string Argument => $"sqlite:{Options.SqliteFile}";

        public override StorageOptions Options =>
            new() { SqliteFile = Path.Combine(_folder.Path, "broker.db"), ReserveMegabytes = 0 };

        public override SqlBrokerStore Open(TimeProvider time) =>
            SqliteBrokerStore.Open(Options, time, NullLogger<SqliteBrokerStore>.Instance);

        public override Task ExecuteAsync(string sql) => ReadAsync(sql);

        public override SqlTables Tables() => SqliteTables.OpenToRead(Options);

        public override Task<IReadOnlyList<string>> TablesAsync() =>
            ReadAsync("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name");

        public override Task<IReadOnlyList<string>> ColumnsAsync(string table) =>
            ReadAsync($"SELECT name FROM pragma_table_xinfo('{table}') ORDER BY cid");

        public override Task ForgeAsync() =>
            ExecuteAsync(
                "DROP TRIGGER audit_record_is_deleted_once_archived; DELETE FROM audit_record WHERE stream = 1 AND sequence = 3"
            );

        public override Task AlterInsertedLeasesAsync() =>
            ExecuteAsync(
                "CREATE TRIGGER alters AFTER INSERT ON lease BEGIN UPDATE lease SET last_error = '?' WHERE id = NEW.id; END"
            );

        public override Task MakeEmptyAsync()
        {
            SqliteFile.Open(Options.SqliteFile).Dispose();
            return Task.CompletedTask;
        }

        protected override async Task<IReadOnlyList<string>> ReadAsync(string sql)
        {
            await using var connection = new SqliteConnection($"Data Source={Options.SqliteFile};Pooling=False");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            return await ReadAsync(command);
        }

        public override void Dispose() => _folder.Dispose();
    }

    private sealed class OnPostgres(TestPostgres postgres, PostgresSchema schema) : UpkeepStore
    {
        public static async Task<UpkeepStore> MakeAsync(TestPostgres postgres) =>
            new OnPostgres(postgres, await PostgresSchema.MakeAsync(postgres));

        public override string Argument => $"postgres:{schema.ConnectionStringFile}";

        public override StorageOptions Options => schema.Options;

        public override SqlBrokerStore Open(TimeProvider time) =>
            PostgresBrokerStore.Open(
                Options,
                time,
                NullLogger<PostgresBrokerStore>.Instance,
                isAlone: false,
                byDatabase: false
            );

        public override Task ExecuteAsync(string sql) => schema.ExecuteAsync(sql);

        public override SqlTables Tables() => PostgresTables.OpenToRead(Options);

        public override Task<IReadOnlyList<string>> TablesAsync() =>
            ReadAsync(
                $"SELECT tablename FROM pg_tables WHERE schemaname = '{schema.Name}' ORDER BY tablename COLLATE \"C\""
            );

        public override Task<IReadOnlyList<string>> ColumnsAsync(string table) =>
            ReadAsync(
                $"SELECT column_name FROM information_schema.columns WHERE table_schema = '{schema.Name}' AND table_name = '{table}' ORDER BY ordinal_position"
            );

        public override Task ForgeAsync() =>
            ExecuteAsync(
                "DROP TRIGGER audit_record_is_deleted_once_archived ON audit_record; DELETE FROM audit_record WHERE stream = 1 AND sequence = 3"
            );

        public override Task AlterInsertedLeasesAsync() =>
            ExecuteAsync(
                """
                CREATE FUNCTION alters() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN NEW.last_error := '?'; RETURN NEW; END $$;
                CREATE TRIGGER alters BEFORE INSERT ON lease FOR EACH ROW EXECUTE FUNCTION alters()
                """
            );

        public override Task MakeEmptyAsync()
        {
            StoreMigration.Run(Options);
            return Task.CompletedTask;
        }

        protected override async Task<IReadOnlyList<string>> ReadAsync(string sql)
        {
            await using var connection = await postgres.ConnectAsync();
            await using var command = new NpgsqlCommand($"SET search_path = {schema.Name}; {sql}", connection);
            return await ReadAsync(command);
        }

        public override void Dispose() => schema.Dispose();
    }
}
