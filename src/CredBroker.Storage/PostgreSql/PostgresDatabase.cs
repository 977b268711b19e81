using System.Security.Authentication;
using System.Text.RegularExpressions;
using CredBroker.Core.State;
using CredBroker.Storage.Sql;
using DbUp;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// The schema that holds the store: checked, taken for one broker, migrated. The writer's connection holds a lock of the
/// server's (an advisory lock on the schema) for as long as it lives; whoever cannot have it writes nothing.
/// </summary>
internal sealed partial class PostgresDatabase : IDisposable
{
    // What the store relies on: identity columns, stored generated columns, and the settings below.
    private const int OldestVersion = 140000;

    // The first half of the locks' keys is "crbr", the second the schema's number, or 0, which is no schema's.
    private const string LockOfSchema = "SELECT pg_advisory_lock(1668440690, current_schema()::regnamespace::oid::int)";
    private const string LockOfMigrations = "SELECT pg_advisory_lock(1668440690, 0)";
    private const string UnlockOfMigrations = "SELECT pg_advisory_unlock(1668440690, 0)";

    // A server that does not notice that a broker is gone keeps its lock from the next one: it looks. Whoever waits for a
    // lock gives up before its callers do.
    private const string Session = """
        SET lock_timeout = '5s';
        SET idle_in_transaction_session_timeout = '20s';
        SET client_connection_check_interval = '5s';
        SET tcp_keepalives_idle = 10;
        SET tcp_keepalives_interval = 5;
        SET tcp_keepalives_count = 3;
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
        """;

    private readonly NpgsqlConnection _writer;
    private readonly NpgsqlDataSource _readers;
    private readonly string _place;
    private readonly bool _evenClosed;
    private bool _isMigrated;
    private long _connections;

    private PostgresDatabase(NpgsqlConnectionStringBuilder settings, string place, bool isAlone, bool evenClosed)
    {
        (_place, IsAlone, _evenClosed) = (place, isAlone, evenClosed);
        _writer = new(Writing(settings));
        _readers = NpgsqlDataSource.Create(Reading(settings));
    }

    /// <summary>Whether this process is the schema's only broker, and the lock says so.</summary>
    public bool IsAlone { get; }

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
    /// <param name="isAlone">Whether nobody else may use it meanwhile.</param>
    /// <param name="evenClosed">Whether a store is opened on which no broker may start.</param>
    public static PostgresDatabase Open(StorageOptions options, bool isAlone, bool evenClosed = false)
    {
        var settings = ConnectionStringFile.Read(options);
        var place = PlaceOf(settings);
        try
        {
            var (schema, mayChange) = FindSchema(settings, place);
            Pin(settings, schema);
            var database = new PostgresDatabase(settings, NameOf(schema, place), isAlone, evenClosed);
            try
            {
                database.Connect(database._writer);
                database.Migrate(settings, schema, mayChange);
                database.RefuseClosed(database._writer);
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

    /// <summary>A connection that can only read.</summary>
    public ValueTask<NpgsqlConnection> OpenReaderAsync(CancellationToken cancellationToken) =>
        _readers.OpenConnectionAsync(cancellationToken);

    /// <summary>Opens the writer's connection, anew where it was lost, and takes the schema with it.</summary>
    /// <exception cref="StoreUnavailableException">Another broker has it, or it is closed.</exception>
    public void Connect(NpgsqlConnection connection)
    {
        connection.Close();
        Interlocked.Increment(ref _connections);
        connection.Open();
        try
        {
            Execute(connection, Session);
            if (IsAlone)
            {
                Execute(connection, LockOfSchema);
            }

            // Who was cut off had the lock no more, and the store may have been moved meanwhile.
            RefuseClosed(connection);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            connection.Close();
            throw new StoreUnavailableException(
                $"Another broker uses {_place}. A PostgreSQL store belongs to one broker at a time: stop the other one, "
                    + "or give this one a schema of its own.",
                e
            );
        }
        catch
        {
            connection.Close();
            throw;
        }
    }

    /// <summary>Closes what reads; the session closes what writes.</summary>
    public void Dispose() => _readers.Dispose();

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

    // Who may not make tables uses those that its owner has made.
    private static (string Schema, bool MayChange) FindSchema(NpgsqlConnectionStringBuilder settings, string place)
    {
        using var connection = new NpgsqlConnection(Writing(settings));
        connection.Open();
        using var command = new NpgsqlCommand(
            """
            SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_schema(),
              has_schema_privilege(current_schema(), 'CREATE'),
              has_table_privilege(to_regclass(quote_ident(current_schema()) || '.schemaversions'), 'SELECT')
            """,
            connection
        );
        using var row = command.ExecuteReader();
        row.Read();
        if (row.GetInt32(0) < OldestVersion)
        {
            throw new StoreUnavailableException(
                $"The store cannot use PostgreSQL ({place}): it is older than version {OldestVersion / 10_000}."
            );
        }

        if (row.GetString(1) != "UTF8")
        {
            throw new StoreUnavailableException(
                $"The store cannot use PostgreSQL ({place}): its encoding is {row.GetString(1)}. "
                    + "Make the database with ENCODING 'UTF8'."
            );
        }

        return !row.IsDBNull(2) && (row.GetBoolean(3) || (!row.IsDBNull(4) && row.GetBoolean(4)))
            ? (row.GetString(2), row.GetBoolean(3))
            : throw new StoreUnavailableException(
                $"The store cannot use PostgreSQL ({place}): its user has no schema to make tables in. "
                    + "credbroker store rights prints the SQL that makes both; or as the "
                    + $"database's owner: CREATE SCHEMA credbroker AUTHORIZATION {settings.Username}; "
                    + $"ALTER ROLE {settings.Username} SET search_path = credbroker;"
            );
    }

    private void Migrate(NpgsqlConnectionStringBuilder settings, string schema, bool mayChange)
    {
        Execute(_writer, LockOfMigrations);
        try
        {
            // The journal alone is told the schema: DbUp would make it, which the user has no right to.
            Migrated = SqlMigrations.Run(
                DeployChanges
                    .To.PostgresqlDatabase(Migrating(settings))
                    .JournalToPostgresqlTable(schema, SqlMigrations.Journal),
                PostgresTables.Folder,
                _place,
                mayChange
            );
            _isMigrated = true;
        }
        finally
        {
            Execute(_writer, UnlockOfMigrations);
        }
    }

    private void RefuseClosed(NpgsqlConnection connection)
    {
        if (_isMigrated && !_evenClosed)
        {
            using var closed = new NpgsqlCommand(ClosedStore.Query, connection);
            ClosedStore.Refuse(closed.ExecuteScalar() as string, _place);
        }
    }

    /// <summary>What Npgsql says; of TLS that did not come about, why, and what it takes.</summary>
    private static string Reason(NpgsqlException failure) =>
        failure.InnerException is AuthenticationException tls
            ? $"{tls.Message} Its certificate has to name the host as the connection string does, and to be signed by a CA "
                + "that this machine trusts or that Root Certificate names."
            : failure.Message;

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    [GeneratedRegex(@"[\s\\]")]
    private static partial Regex EscapedInOptions();
}
