using System.Globalization;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CredBroker.Benchmarks.Children;

/// <summary>A throw-away PostgreSQL in which each contender has a schema and a user of its own.</summary>
internal sealed class BenchPostgres : IAsyncDisposable
{
    /// <summary>
    /// The role whose rights the users have. Rights of their own would stand in the row of each table for each user, and a
    /// row is full with some five hundred.
    /// </summary>
    public const string Readers = "bench_readers";

    private const double TicksPerSecond = 100;

    private readonly TestPostgres _server;
    private readonly DirectoryInfo _directory;
    private readonly Func<Task> _remove;

    private BenchPostgres(TestPostgres server, DirectoryInfo directory, Func<Task> remove) =>
        (_server, _directory, _remove) = (server, directory, remove);

    /// <param name="directory">Where the files are that lead there.</param>
    /// <param name="flushes">Whether a commit is on disk before it is answered.</param>
    public static async Task<BenchPostgres> StartAsync(BenchDirectory directory, bool flushes)
    {
        var starting = TestPostgres.StartAsync(flushes);
        // Also while it starts: what would be stopped only afterwards runs on without the bench.
        Func<Task> remove = async () =>
        {
            // One that did not start has removed itself.
            if (await Task.WhenAny(starting) is { IsCompletedSuccessfully: true } started)
            {
                await (await started).DisposeAsync();
            }
        };
        Leftovers.Keep(remove);
        return new(await starting, directory.Info, remove);
    }

    public int Port => _server.Port;

    /// <summary>
    /// Makes the administrator by whom Vault makes users here, who hands on the rights of <see cref="Readers"/>; returns
    /// the file with its user and password.
    /// </summary>
    public async Task<string> CreateAdminAsync()
    {
        var file = Path.Combine(_directory.FullName, "admin");
        var admin = await _server.CreateAdminAsync();
        await File.WriteAllTextAsync(file, admin);
        await ExecuteAsync(
            $"""
            CREATE ROLE {Readers} NOLOGIN;
            GRANT USAGE ON SCHEMA billing TO {Readers};
            GRANT SELECT ON ALL TABLES IN SCHEMA billing TO {Readers};
            GRANT {Readers} TO {admin.Split(':')[0]} WITH ADMIN OPTION;
            """
        );
        return file;
    }

    /// <summary>Makes a schema and the user who owns it; returns the file with the connection string.</summary>
    public async Task<string> CreateSchemaAsync(string schema)
    {
        await _server.ExecuteAsync(
            $"CREATE ROLE {schema} LOGIN PASSWORD '{schema}'; CREATE SCHEMA {schema} AUTHORIZATION {schema};"
        );
        var file = Path.Combine(_directory.FullName, schema);
        await File.WriteAllTextAsync(
            file,
            $"Host=127.0.0.1;Port={_server.Port};Database={TestPostgres.Database};Username={schema};Password={schema};"
                + $"Search Path={schema}"
        );
        return file;
    }

    /// <summary>Opens a store there, as a broker does; the first one makes the tables.</summary>
    public static PostgresBrokerStore Open(string connectionStringFile) =>
        PostgresBrokerStore.Open(
            new StorageOptions { Provider = StorageProvider.Postgres, ConnectionStringFile = connectionStringFile },
            TimeProvider.System,
            NullLogger<PostgresBrokerStore>.Instance
        );

    /// <summary>
    /// A floor's arguments that writes a store's rows, as long as those that the store in <paramref name="like"/> has
    /// written already, into tables of its own.
    /// </summary>
    public async Task<string[]> StoreRowsAsync(string schema, string like)
    {
        var file = await CreateSchemaAsync(schema);
        Open(file).Dispose();
        return
        [
            "store-rows",
            file,
            $"{await NumberAsync($"SELECT avg(length(bytes))::bigint FROM {like}.audit_record r JOIN {like}.lease l ON position(l.id::bytea IN r.bytes) > 0")}",
        ];
    }

    /// <summary>One number, as the superuser reads it.</summary>
    public async Task<long> NumberAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    /// <summary>Runs SQL as the superuser, however long it takes.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    public Task<NpgsqlConnection> ConnectAsync() => _server.ConnectAsync();

    /// <summary>What the server and all its backends have used so far; zero where there is no /proc.</summary>
    public TimeSpan CpuTime()
    {
        var ticks = 0L;
        foreach (var folder in Directory.Exists("/proc") ? Directory.GetDirectories("/proc") : [])
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id))
            {
                continue;
            }

            try
            {
                // After the name in brackets: state, parent, … and as 12th to 15th the times, of children that are gone too.
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (id == _server.ProcessId || fields[1] == $"{_server.ProcessId}")
                {
                    ticks += fields[11..(id == _server.ProcessId ? 15 : 13)].Sum(long.Parse);
                }
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return TimeSpan.FromSeconds(ticks / TicksPerSecond);
    }

    public ValueTask DisposeAsync()
    {
        Leftovers.Release(_remove);
        return _server.DisposeAsync();
    }
}
