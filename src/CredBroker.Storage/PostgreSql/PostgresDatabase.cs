using System.Security.Authentication;
using System.Text.RegularExpressions;
using CredBroker.Core.State;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// The schema that holds the store: checked, migrated, taken. The writer's connection holds a lock of the server's (an
/// advisory lock on the schema) for as long as it lives: shared with other brokers, or alone. Whoever cannot have it
/// writes nothing, and who has it is there.
/// </summary>
internal sealed partial class PostgresDatabase : IDisposable
{
    // What the store relies on: identity columns, stored generated columns, and the settings below.
    private const int OldestVersion = 140000;

    // The first half of the locks' keys is "crbr", the second the schema's number, or 0, which is no schema's.
    private const string Schema = "(1668440690, current_schema()::regnamespace::oid::int)";
    private const string LockOfSchema = $"SELECT pg_advisory_lock{Schema}";
    private const string ShareOfSchema = $"SELECT pg_advisory_lock_shared{Schema}";
    private const string IsStandby = "SELECT pg_is_in_recovery()";
    private const string UnlockOfSchema = $"SELECT pg_advisory_unlock{Schema}";

    /// <summary>
    /// Says, for as long as the connection lives, that its broker appends to the audit stream; said within a batch.
    /// </summary>
    public const string Enter = "SELECT pg_advisory_lock_shared(1668440691, current_schema()::regnamespace::oid::int)";

    /// <summary>Lets go of every such lock, before the connection does.</summary>
    public const string Leave = "SELECT pg_advisory_unlock_all()";

    /// <summary>How many other brokers append to the audit stream; who asks within a batch is told exactly.</summary>
    public const string CountOthers = $"SELECT count(*) FROM pg_locks WHERE {IsBroker} AND pid <> pg_backend_pid()";

    /// <summary>The brokers that do: their ids, since when they are connected, and when they said something last.</summary>
    public const string ListBrokers = $"""
        SELECT substring(application_name FROM '^{Name} ([0-9a-f]+)$') AS id,
          (extract(epoch FROM backend_start) * 1000)::bigint AS since,
          (extract(epoch FROM state_change) * 1000)::bigint AS seenat
        FROM pg_locks LEFT JOIN pg_stat_activity USING (pid) WHERE {IsBroker} ORDER BY backend_start, pid
        """;

    /// <summary>What the writer's connection is called, so that others see whose it is.</summary>
    private const string Name = "credbroker";

    private const string IsBroker = """
        locktype = 'advisory' AND granted AND classid = 1668440691 AND objsubid = 2
          AND objid = current_schema()::regnamespace::oid
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    /// <summary>The server's clock in Unix milliseconds, as it is when the statement comes to it.</summary>
    public const string Clock = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

    // Others who start at the same time may have a large store to migrate.
    private const string LockOfMigrations = """
        SET lock_timeout = '10min';
        SELECT pg_advisory_lock(1668440690, 0);
        SET lock_timeout = '5s';
        """;
    private const string UnlockOfMigrations = "SELECT pg_advisory_unlock(1668440690, 0)";

    // A server that does not notice that a broker is gone keeps its lock from the next one: it looks. Whoever waits for a
    // lock gives up before its callers do. Whoever stands still within a batch holds up every broker, and is cut off.
    private const string Session = """
        SET lock_timeout = '5s';
        SET idle_in_transaction_session_timeout = '5s';
        SET client_connection_check_interval = '5s';
        SET tcp_keepalives_idle = 10;
        SET tcp_keepalives_interval = 5;
        SET tcp_keepalives_count = 3;
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
        """;

    private readonly NpgsqlConnection _writer;
    private readonly NpgsqlConnection _listener;
    private readonly NpgsqlDataSource _readers;
    private readonly string _place;
    private readonly bool _evenClosed;
    private long _connections;

    // How many migrations the schema has had; null until they have run.
    private long? _migrations;

    private PostgresDatabase(
        NpgsqlConnectionStringBuilder settings,
        string place,
        DatabaseTime time,
        bool isAlone,
        bool evenClosed
    )
    {
        (_place, Time, IsAlone, _evenClosed) = (place, time, isAlone, evenClosed);
        _writer = new(Writing(settings));
        _listener = new(Writing(settings));
        var readers = new NpgsqlDataSourceBuilder(Reading(settings));
        readers.UsePhysicalConnectionInitializer(RefuseStandby, RefuseStandbyAsync);
        _readers = readers.Build();
    }

    /// <summary>Whether this process has the schema for itself.</summary>
    public bool IsAlone { get; }

    /// <summary>This process, as it is known in the store for as long as it runs.</summary>
    public string Broker { get; } = Guid.NewGuid().ToString("N");

    /// <summary>How brokers tell each other that there is something to see.</summary>
    public string Channel { get; private set; } = "";

    /// <summary>The time by the server's clock.</summary>
    public DatabaseTime Time { get; }

    /// <summary>How often it was connected to for writing. A new connection may lead to a server that knows less.</summary>
    public long Connections => Volatile.Read(ref _connections);

    /// <summary>The migrations that opening it ran.</summary>
    public IReadOnlyList<string> Migrated { get; private set; } = [];

    /// <summary>Where it is, as a message names it; no secret.</summary>
    public string Place => _place;

    /// <exception cref="StoreUnavailableException">
    /// The schema cannot be used, or another broker uses it; the message says why and what to do.
    /// </exception>
    /// <param name="options">Where it is.</param>
    /// <param name="time">The time by the server's clock.</param>
    /// <param name="isAlone">Whether nobody else may use it meanwhile.</param>
    /// <param name="evenClosed">Whether a store is opened on which no broker may start.</param>
    public static PostgresDatabase Open(
        StorageOptions options,
        DatabaseTime time,
        bool isAlone,
        bool evenClosed = false
    )
    {
        var settings = ConnectionStringFile.Read(options);
        var place = PlaceOf(settings);
        try
        {
            var (schema, mayChange) = FindSchema(settings, place);
            Pin(settings, schema);
            var database = new PostgresDatabase(settings, NameOf(schema, place), time, isAlone, evenClosed);
            try
            {
                database.Begin(settings, schema, mayChange);
                return database;
            }
            catch
            {
                database._writer.Dispose();
                database.Dispose();
                throw;
            }
        }
        catch (NpgsqlException e)
        {
            throw new StoreUnavailableException($"The store cannot use PostgreSQL ({place}): {Reason(e)}", e);
        }
    }

    /// <summary>A connection that reads, whoever uses the schema, and where that is.</summary>
    /// <exception cref="StoreUnavailableException">The schema cannot be used; the message says why.</exception>
    public static (NpgsqlConnection Connection, string Place) OpenToRead(StorageOptions options)
    {
        var settings = ConnectionStringFile.Read(options);
        var place = PlaceOf(settings);
        NpgsqlConnection? connection = null;
        try
        {
            var (schema, _) = FindSchema(settings, place);
            Pin(settings, schema);
            connection = new(Writing(new(Reading(settings))));
            connection.Open();
            return (connection, NameOf(schema, place));
        }
        catch (NpgsqlException e)
        {
            connection?.Dispose();
            throw new StoreUnavailableException($"The store cannot use PostgreSQL ({place}): {Reason(e)}", e);
        }
    }

    /// <summary>The writer's connection, the session's from here on.</summary>
    public NpgsqlConnection OpenWriter() => _writer;

    /// <summary>A connection of its own for what other brokers tell, to be opened anew where it was lost.</summary>
    public NpgsqlConnection Listener => _listener;

    /// <summary>A connection that can only read.</summary>
    public ValueTask<NpgsqlConnection> OpenReaderAsync(CancellationToken cancellationToken) =>
        _readers.OpenConnectionAsync(cancellationToken);

    /// <summary>Opens the writer's connection, anew where it was lost, and takes the schema with it.</summary>
    /// <exception cref="StoreUnavailableException">
    /// Another broker has it, or a newer one has changed it meanwhile.
    /// </exception>
    public void Connect(NpgsqlConnection connection)
    {
        connection.Close();
        Interlocked.Increment(ref _connections);
        // Those that are open may lead to a server whose place another has taken: what is read there is over.
        _readers.Clear();
        connection.Open();
        try
        {
            RefuseStandby(connection);
            Execute(connection, $"{Session} SET application_name = '{Name} {Broker}'");
            Take(connection, IsAlone ? LockOfSchema : ShareOfSchema);
            if (_migrations != CountMigrations(connection))
            {
                throw new StoreUnavailableException(
                    $"A newer broker has changed {_place} while this one was cut off from it. Start the newer version."
                );
            }

            // Who was cut off had no lock meanwhile, and the store may have been moved.
            RefuseClosed(connection);
        }
        catch
        {
            connection.Close();
            throw;
        }
    }

    /// <summary>Closes what reads and listens; the session closes what writes.</summary>
    public void Dispose()
    {
        _listener.Dispose();
        _readers.Dispose();
    }

    private static string PlaceOf(NpgsqlConnectionStringBuilder settings) =>
        $"{settings.Database ?? settings.Username} at {settings.Host}"
        + (settings.Port == NpgsqlConnection.DefaultPort ? "" : $" port {settings.Port}");

    private static string NameOf(string schema, string place) => $"schema {schema} of {place}";

    private static string Writing(NpgsqlConnectionStringBuilder settings) =>
        new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ConnectionString;

    // A change to large tables takes its time.
    private static string Migrating(NpgsqlConnectionStringBuilder settings) =>
        new NpgsqlConnectionStringBuilder(Writing(settings)) { CommandTimeout = 0 }.ConnectionString;

    private static string Reading(NpgsqlConnectionStringBuilder settings) =>
        new NpgsqlConnectionStringBuilder(settings.ConnectionString)
        {
            Options = $"{settings.Options} -c default_transaction_read_only=on",
            MaxPoolSize = Math.Min(settings.MaxPoolSize, 20),
        }.ConnectionString;

    /// <summary>
    /// Names are looked up in this schema alone. Not by Search Path, which DbUp reads too, and wrongly.
    /// </summary>
    private static void Pin(NpgsqlConnectionStringBuilder settings, string schema)
    {
        var name = $"\"{schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        settings.SearchPath = null;
        settings.Options = $"{settings.Options} -c search_path={EscapedInOptions().Replace(name, @"\$0")}";
    }

    /// <summary>What Npgsql says; of TLS that did not come about, why, and what it takes.</summary>
    private static string Reason(NpgsqlException failure) =>
        failure.InnerException is AuthenticationException tls
            ? $"{tls.Message} Its certificate has to name the host as the connection string does, and to be signed by a CA "
                + "that this machine trusts or that Root Certificate names."
            : failure.Message;

    private static void Execute(NpgsqlConnection connection, string sql, int? timeout = null)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.CommandTimeout = timeout ?? command.CommandTimeout;
        command.ExecuteNonQuery();
    }

    [GeneratedRegex(@"[\s\\]")]
    private static partial Regex EscapedInOptions();
}
