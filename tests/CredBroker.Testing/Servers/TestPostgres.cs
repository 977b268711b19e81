using CredBroker.Testing.Processes;
using Npgsql;

namespace CredBroker.Testing.Servers;

/// <summary>
/// A throw-away PostgreSQL cluster on a free loopback port. Passwords are checked (SCRAM), so that an expired or
/// dropped user is really refused. Its database <c>billing</c> holds <c>billing.invoices</c> with two rows; nobody but
/// the superuser <c>cb</c> may connect to any other database. Without the server programs the calling test is skipped
/// with that reason.
/// </summary>
public sealed partial class TestPostgres : IAsyncDisposable
{
    public const string Database = "billing";
    public const string Superuser = "cb";
    public const string SuperuserPassword = "superuser-of-the-throw-away-cluster";
    private static readonly string Seconds = $"{Patience.Limit.TotalSeconds:0}";
    private readonly string _bin;
    private readonly DirectoryInfo _directory;
    private readonly string _settings;

    private TestPostgres(string bin, DirectoryInfo directory, int port, string settings)
    {
        _bin = bin;
        _directory = directory;
        _settings = settings;
        Port = port;
        AppDomain.CurrentDomain.ProcessExit += StopAtExit;
    }

    public int Port { get; }

    public bool IsRunning { get; private set; }

    /// <summary>The folder of the server programs, the newest version first; null where there is none.</summary>
    public static string? FindPrograms()
    {
        var debian = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        return debian
            .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin"))
            .Concat(path)
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }

    public static void SkipUnlessAvailable() =>
        Assert.SkipWhen(
            FindPrograms() is null,
            "No PostgreSQL server programs (initdb): install the package postgresql."
        );

    /// <param name="flushes">Whether a commit is on disk before it is answered, as nobody needs who throws it away.</param>
    /// <param name="tls">What it proves itself by; null where it speaks no TLS.</param>
    public static async Task<TestPostgres> StartAsync(bool flushes = false, ServerCertificate? tls = null)
    {
        SkipUnlessAvailable();
        var directory = Directory.CreateTempSubdirectory("credbroker-pg-");
        var postgres = new TestPostgres(
            FindPrograms()!,
            directory,
            LoopbackPort.Next(),
            $"-c fsync={(flushes ? "on" : "off")}{(tls is null ? "" : tls.Write(directory))}"
        );
        try
        {
            var passwordFile = Path.Combine(directory.FullName, "password");
            await File.WriteAllTextAsync(passwordFile, SuperuserPassword);
            if (Environment.IsPrivilegedProcess)
            {
                await ChildProcess.RunAsync("chown", "-R", "postgres:postgres", directory.FullName);
            }

            await postgres.RunAsync(
                "initdb",
                "-D",
                postgres.DataFolder,
                "-U",
                Superuser,
                "-A",
                "scram-sha-256",
                $"--pwfile={passwordFile}",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync"
            );
            await postgres.StartAgainAsync();
            await postgres.ExecuteAsync($"CREATE DATABASE {Database}", database: "postgres");
            await postgres.ExecuteAsync("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC");
            await postgres.ExecuteAsync(
                """
                CREATE SCHEMA billing;
                CREATE TABLE billing.invoices (id int PRIMARY KEY, amount int NOT NULL);
                INSERT INTO billing.invoices VALUES (1, 100), (2, 250);
                """
            );
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the server, sessions and all: at once, as a crash would, or <c>fast</c>, by its own means.</summary>
    public async Task StopAsync(string mode = "immediate")
    {
        await RunAsync("pg_ctl", "-D", DataFolder, "-m", mode, "-w", "-t", Seconds, "-s", "stop");
        IsRunning = false;
    }

    /// <summary>Starts a stopped server again on its port.</summary>
    public async Task StartAgainAsync()
    {
        var options =
            $"-c listen_addresses=127.0.0.1 -c port={Port} -c unix_socket_directories={_directory.FullName} "
            + $"{_settings} -c max_connections=200";
        await RunAsync("pg_ctl", "-D", DataFolder, "-w", "-t", Seconds, "-s", "-l", LogPath, "-o", options, "start");
        IsRunning = true;
    }

    /// <summary>The server's first process, whose children are all the others.</summary>
    public int ProcessId => int.Parse(File.ReadLines(Path.Combine(DataFolder, "postmaster.pid")).First());

    /// <summary>A program of its version.</summary>
    public string Program(string name) => Path.Combine(_bin, name);

    /// <summary>The server's own log.</summary>
    public string LogPath => Path.Combine(_directory.FullName, "log");

    /// <summary>
    /// A least-privileged administrator as <c>vault setup</c> asks for: no superuser; CREATEROLE, may end sessions,
    /// member of the NOLOGIN role <c>cb_objects</c>, and holding the grants that it hands on. Returns its
    /// <c>user:password</c>.
    /// </summary>
    public async Task<string> CreateAdminAsync(string name = "cb_admin")
    {
        var password = $"{name}-password";
        await ExecuteAsync(
            $"""
            DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cb_objects') THEN
              CREATE ROLE cb_objects NOLOGIN; END IF; END $$;
            CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{password}';
            GRANT pg_signal_backend, cb_objects TO {name};
            GRANT USAGE ON SCHEMA billing TO {name} WITH GRANT OPTION;
            GRANT SELECT ON ALL TABLES IN SCHEMA billing TO {name} WITH GRANT OPTION;
            """
        );
        return $"{name}:{password}";
    }

    /// <summary>A URL for a client; user and password are given apart.</summary>
    public string Url(string user, string password) =>
        $"postgresql://{user}:{password}@127.0.0.1:{Port}/{Database}?sslmode=disable";

    /// <summary>Logs in, unpooled; throws <see cref="NpgsqlException"/> when refused.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(
        string user = Superuser,
        string password = SuperuserPassword,
        string database = Database
    )
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Database = database,
            Username = user,
            Password = password,
            Pooling = false,
            Timeout = (int)Patience.Limit.TotalSeconds,
            CommandTimeout = (int)Patience.Limit.TotalSeconds,
            SslMode = SslMode.Disable,
        };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the server lets this user in. A stopped server is an error, not a refusal.</summary>
    public async Task<bool> CanLogInAsync(string user, string password)
    {
        try
        {
            await using var connection = await ConnectAsync(user, password);
            return true;
        }
        catch (PostgresException refused)
            when (refused.SqlState
                    is PostgresErrorCodes.InvalidPassword
                        or PostgresErrorCodes.InvalidAuthorizationSpecification
            )
        {
            return false;
        }
    }

    /// <summary>Whether a server says this that was stopped, is starting, or crashed in the middle of it.</summary>
    public static bool IsDown(Exception error) =>
        error switch
        {
            PostgresException said => said.SqlState.StartsWith("57P", StringComparison.Ordinal),
            NpgsqlException or TimeoutException or IOException => true,
            _ => false,
        };

    /// <summary>Runs SQL as the superuser.</summary>
    public async Task ExecuteAsync(string sql, string database = Database)
    {
        await using var connection = await ConnectAsync(database: database);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>How many rows there are, as the superuser sees it.</summary>
    public async Task<long> CountAsync(string from)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand($"SELECT count(*) FROM {from}", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The names of the users that Vault made and that are still there.</summary>
    public async Task<IReadOnlyList<string>> IssuedUsersAsync()
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^(cb-|v-)' ORDER BY 1",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync())
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    /// <summary>How many sessions this user has open.</summary>
    public async Task<long> SessionsAsync(string user)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = $1",
            connection
        )
        {
            Parameters = { new() { Value = user } },
        };
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= StopAtExit;
        if (IsRunning)
        {
            await StopAsync();
        }

        _directory.Delete(recursive: true);
    }

    private string DataFolder => Path.Combine(_directory.FullName, "data");

    /// <summary>What a schema holds now, in a file of this server's, as a backup takes it.</summary>
    public async Task<string> DumpAsync(string schema)
    {
        var file = Path.Combine(_directory.FullName, $"{schema}.{Guid.NewGuid():N}.dump");
        await RunAsync("pg_dump", "-d", Url(Superuser, SuperuserPassword), "-n", schema, "-Fc", "-f", file);
        return file;
    }

    /// <summary>Puts the schema back as it was then, under whoever uses it.</summary>
    public async Task RestoreAsync(string schema, string dump)
    {
        await ExecuteAsync($"DROP SCHEMA {schema} CASCADE");
        await RunAsync("pg_restore", "-d", Url(Superuser, SuperuserPassword), "-e", dump);
    }

    /// <summary>Ends every session of a user's, as a fail-over does.</summary>
    public Task CutAsync(string user) =>
        ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'");

    /// <summary>The server refuses to run as root: then its programs run as user postgres.</summary>
    private Task<string> RunAsync(string program, params string[] arguments)
    {
        var path = Path.Combine(_bin, program);
        return Environment.IsPrivilegedProcess
            ? ChildProcess.RunAsync(
                "setpriv",
                ["--reuid=postgres", "--regid=postgres", "--init-groups", path, .. arguments]
            )
            : ChildProcess.RunAsync(path, arguments);
    }

    private void StopAtExit(object? sender, EventArgs e)
    {
        if (IsRunning)
        {
            StopAsync().GetAwaiter().GetResult();
        }
    }
}
