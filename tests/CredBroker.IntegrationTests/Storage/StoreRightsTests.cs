using CredBroker.Core.State;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>The script of <c>credbroker store rights</c>, run by psql as it is printed.</summary>
public sealed class StoreRightsTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>, IDisposable
{
    private const string Password = "typed-at-the-prompt";
    private static readonly IReadOnlyDictionary<string, string> NoVariables = new Dictionary<string, string>();
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly string _name = $"cb_{Guid.NewGuid():N}";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_broker_runs_with_the_user_that_the_script_makes_and_the_user_can_do_nothing_else()
    {
        var server = await postgres.GetAsync();
        var script = await PrintAsync();
        Assert.DoesNotContain("PASSWORD '", script, StringComparison.OrdinalIgnoreCase);
        await RunAsync(server, script, passwords: 1);

        using (var store = Open(server, _name))
        {
            await CommitAsync(store, new StoreSamples(_time).Opened());
        }

        Assert.Equal(1, await CountAsync(server, _name, "lease"));
        await AssertConfinedAsync(server, _name);

        // Nobody else comes into the database: not even who may log in to the server.
        await server.ExecuteAsync($"CREATE ROLE {_name}_stranger LOGIN PASSWORD '{Password}'");
        var refused = await Assert.ThrowsAsync<PostgresException>(() =>
            server.ConnectAsync($"{_name}_stranger", Password, _name)
        );
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    /// <summary>As a managed server's administrator is: may make databases and roles, and is no superuser.</summary>
    [Fact]
    public async Task An_administrator_who_is_no_superuser_runs_the_script_too()
    {
        var server = await postgres.GetAsync();
        var administrator = $"{_name}_dba";
        await server.ExecuteAsync(
            $"""
            CREATE ROLE {administrator} LOGIN CREATEDB CREATEROLE PASSWORD '{Password}';
            GRANT CONNECT ON DATABASE {TestPostgres.Database} TO {administrator}
            """
        );
        await RunAsync(server, await PrintAsync(), passwords: 1, (administrator, Password));

        using var store = Open(server, _name);
        await CommitAsync(store, new StoreSamples(_time).Opened());
        await AssertConfinedAsync(server, _name);
    }

    [Fact]
    public async Task A_broker_runs_without_a_right_to_change_the_tables_that_another_user_migrates()
    {
        var server = await postgres.GetAsync();
        var owner = $"{_name}_owner";
        await RunAsync(server, await PrintAsync("--owner", owner), passwords: 2);
        Assert.Throws<StoreUnavailableException>(() => Open(server, _name));

        var migrated = await CliRun.RunAsync(
            NoVariables,
            "store",
            "migrate",
            "--store",
            $"postgres:{ConnectionStringFile(server, owner)}"
        );
        Assert.True(migrated.ExitCode == 0, migrated.Error);
        using (var store = Open(server, _name))
        {
            await CommitAsync(store, new StoreSamples(_time).Opened());
            await CommitAsync(store, StoreSamples.Policy(0, "hash"));
        }

        await AssertConfinedAsync(server, _name);
        await AssertConfinedAsync(server, owner);
        foreach (
            var forbidden in new[]
            {
                "DROP TRIGGER audit_record_is_never_changed ON audit_record",
                "ALTER TABLE audit_record DISABLE TRIGGER ALL",
                "TRUNCATE audit_record",
                "DROP TABLE lease",
                "ALTER TABLE lease ADD COLUMN x int",
                "CREATE TABLE x (id int)",
                "CREATE OR REPLACE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
                $"SET ROLE {owner}",
            }
        )
        {
            await AssertRefusedAsync(server, _name, forbidden);
        }

        // A later version's broker says who has to act, and changes nothing.
        await server.ExecuteAsync(
            $"DELETE FROM {_name}.schemaversions WHERE scriptname LIKE '%closed.sql'; ALTER TABLE {_name}.store DROP COLUMN closed",
            _name
        );
        var lacking = Assert.Throws<StoreUnavailableException>(() => Open(server, _name));
        Assert.Contains("credbroker store migrate", lacking.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_is_moved_by_the_tables_owner_to_a_broker_that_cannot_change_them()
    {
        var server = await postgres.GetAsync();
        var owner = $"{_name}_owner";
        await RunAsync(server, await PrintAsync("--owner", owner), passwords: 2);
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        var samples = new StoreSamples(_time);
        var lease = samples.Lease();
        using (var store = source.Open(_time))
        {
            Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(samples.Opened(lease), default));
        }

        string[] copy =
        [
            "store",
            "copy",
            "--from",
            source.Argument,
            "--to",
            $"postgres:{ConnectionStringFile(server, owner)}",
        ];
        var moved = await CliRun.RunAsync(NoVariables, copy);
        Assert.True(moved.ExitCode == 0, moved.Error);
        using var there = Open(server, _name);
        Assert.Equal(LeaseState.Pending, (await there.Leases.FindAsync(lease.Id, default))?.State);
        await CommitAsync(there, samples.Opened());
    }

    [Theory]
    [InlineData("--user", "a\"; DROP ROLE x; --")]
    [InlineData("--schema", "Upper")]
    [InlineData("--database", "a b")]
    [InlineData("--owner", "1st")]
    [InlineData("--owner", "credbroker")]
    public async Task A_name_that_would_mean_something_else_is_refused(string option, string name)
    {
        var run = await CliRun.RunAsync(NoVariables, "store", "rights", option, name);
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
    }

    private async Task<string> PrintAsync(params string[] more)
    {
        var run = await CliRun.RunAsync(
            NoVariables,
            ["store", "rights", "--database", _name, "--schema", _name, "--user", _name, .. more]
        );
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return run.Out;
    }

    /// <summary>By psql, with no terminal, so that it asks on its standard input.</summary>
    private async Task RunAsync(
        TestPostgres server,
        string script,
        int passwords,
        (string User, string Password)? administrator = null
    )
    {
        var (user, password) = administrator ?? (TestPostgres.Superuser, TestPostgres.SuperuserPassword);
        var file = _folder.File("rights.sql");
        await File.WriteAllTextAsync(file, script);
        await using var psql = ChildProcess.Start(
            "setsid",
            [
                "--wait",
                server.Program("psql"),
                "--no-psqlrc",
                "--file",
                file,
                $"host=127.0.0.1 port={server.Port} dbname={TestPostgres.Database} user={user}",
            ],
            new Dictionary<string, string> { ["PGPASSWORD"] = password }
        );
        for (var i = 0; i < 2 * passwords; i++)
        {
            await psql.Process.StandardInput.WriteLineAsync(Password);
        }

        psql.Process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Patience.Limit);
        await psql.Process.WaitForExitAsync(limit.Token);
        Assert.True(psql.Process.ExitCode == 0, psql.Output);
    }

    private string ConnectionStringFile(TestPostgres server, string user)
    {
        var file = _folder.File($"{user}.connection");
        File.WriteAllText(
            file,
            $"Host=127.0.0.1;Port={server.Port};Database={_name};Username={user};Password={Password}"
        );
        return file;
    }

    private PostgresBrokerStore Open(TestPostgres server, string user) =>
        PostgresBrokerStore.Open(
            new() { Provider = StorageProvider.Postgres, ConnectionStringFile = ConnectionStringFile(server, user) },
            _time,
            NullLogger<PostgresBrokerStore>.Instance
        );

    private async Task<long> CountAsync(TestPostgres server, string user, string table)
    {
        await using var connection = await server.ConnectAsync(user, Password, _name);
        await using var command = new NpgsqlCommand($"SELECT count(*) FROM {table}", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task AssertConfinedAsync(TestPostgres server, string user)
    {
        await server.ExecuteAsync(
            "CREATE SCHEMA IF NOT EXISTS another; CREATE TABLE IF NOT EXISTS another.things (id int)",
            _name
        );
        foreach (
            var forbidden in new[]
            {
                "CREATE TABLE public.x (id int)",
                "CREATE TEMPORARY TABLE x (id int)",
                "CREATE SCHEMA x",
                "SELECT * FROM another.things",
                "SELECT rolpassword FROM pg_authid",
                "CREATE DATABASE x",
                "CREATE ROLE x",
                $"ALTER ROLE {user} SUPERUSER",
                $"ALTER ROLE {user} CREATEROLE",
                $"SET ROLE {TestPostgres.Superuser}",
                $"GRANT {TestPostgres.Superuser} TO {user}",
                $"ALTER DATABASE {_name} SET search_path = public",
                "CREATE EXTENSION pgcrypto",
                "COPY (SELECT 1) TO PROGRAM 'true'",
                "SELECT pg_read_file('/etc/passwd')",
                "SELECT pg_reload_conf()",
                "ALTER SYSTEM SET log_statement = 'all'",
                "CREATE FUNCTION x() RETURNS int LANGUAGE internal AS 'pg_backend_pid'",
                "CREATE EVENT TRIGGER x ON ddl_command_start EXECUTE FUNCTION audit_log_is_append_only()",
                $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{TestPostgres.Superuser}'",
            }
        )
        {
            await AssertRefusedAsync(server, user, forbidden);
        }
    }

    private async Task AssertRefusedAsync(TestPostgres server, string user, string sql)
    {
        // A session of the superuser's, to be one that could be ended.
        await using var other = await server.ConnectAsync();
        await using var connection = await server.ConnectAsync(user, Password, _name);
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            await command.ExecuteNonQueryAsync();
        }
        catch (PostgresException refused)
        {
            Assert.True(
                refused.SqlState is PostgresErrorCodes.InsufficientPrivilege,
                $"{sql}: {refused.SqlState} {refused.MessageText}"
            );
            return;
        }

        Assert.Fail($"{user} may: {sql}");
    }

    private static async Task CommitAsync(PostgresBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));
}
