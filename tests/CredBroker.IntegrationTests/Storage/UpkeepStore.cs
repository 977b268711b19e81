using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Processes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

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
        engine == Postgres ? new OnPostgres(await PostgresSchema.MakeAsync(await postgres.GetAsync())) : new OnSqlite();

    /// <summary>Has a broker's store on it, with its lock.</summary>
    public abstract SqlBrokerStore Open(TimeProvider time);

    public abstract Task ExecuteAsync(string sql);

    public abstract void Dispose();

    private sealed class OnSqlite : UpkeepStore
    {
        private readonly TemporaryFolder _folder = new();

        public override string Argument => $"sqlite:{Options.SqliteFile}";

        public override StorageOptions Options =>
            new() { SqliteFile = Path.Combine(_folder.Path, "broker.db"), ReserveMegabytes = 0 };

        public override SqlBrokerStore Open(TimeProvider time) =>
            SqliteBrokerStore.Open(Options, time, NullLogger<SqliteBrokerStore>.Instance);

        public override async Task ExecuteAsync(string sql)
        {
            await using var connection = new SqliteConnection($"Data Source={Options.SqliteFile};Pooling=False");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }

        public override void Dispose() => _folder.Dispose();
    }

    private sealed class OnPostgres(PostgresSchema schema) : UpkeepStore
    {
        public override string Argument => $"postgres:{schema.ConnectionStringFile}";

        public override StorageOptions Options => schema.Options;

        public override SqlBrokerStore Open(TimeProvider time) =>
            PostgresBrokerStore.Open(Options, time, NullLogger<PostgresBrokerStore>.Instance);

        public override Task ExecuteAsync(string sql) => schema.ExecuteAsync(sql);

        public override void Dispose() => schema.Dispose();
    }
}
