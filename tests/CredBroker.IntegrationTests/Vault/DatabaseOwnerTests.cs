using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// Agents that may make tables: what they own and grant keeps neither their own users nor anybody else's from going or
/// coming. The schema <c>work</c> is one in which <c>cb_objects</c> may create nothing.
/// </summary>
public sealed class DatabaseOwnerTests(PreparedDatabase database) : WorkSchemaTests(database)
{
    [Fact]
    public async Task What_holds_data_is_handed_on_and_what_can_run_is_not()
    {
        var (lease, secret) = await IssueAsync();
        await RunAsync(
            secret,
            """
            CREATE TABLE work.notes (id serial PRIMARY KEY, text text);
            CREATE TYPE work.mood AS ENUM ('well', 'unwell');
            CREATE TYPE work.pair AS (a int, b int);
            CREATE SEQUENCE work.numbers;
            CREATE VIEW work.seen AS SELECT * FROM work.notes;
            CREATE MATERIALIZED VIEW work.kept AS SELECT * FROM work.notes;
            CREATE FUNCTION work.as_me() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
            CREATE FUNCTION work.plain(work.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
            SELECT lo_create(0);
            """
        );

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));

        Assert.Empty(await Postgres.IssuedUsersAsync());
        Assert.Equal(
            "cb_objects",
            await ReadAsync("SELECT relowner::regrole::text FROM pg_class WHERE oid = 'work.notes'::regclass")
        );
        Assert.Equal(
            "mood,pair",
            await ReadAsync(
                "SELECT string_agg(typname, ',' ORDER BY typname) FROM pg_type WHERE typnamespace = 'work'::regnamespace "
                    + "AND typowner = 'cb_objects'::regrole AND typname IN ('mood', 'pair')"
            )
        );
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM pg_proc WHERE pronamespace = 'work'::regnamespace"));
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM pg_class WHERE relname IN ('seen', 'kept')"));
        Assert.Equal("False", await ReadAsync("SELECT has_schema_privilege('cb_objects', 'work', 'CREATE')"));
    }

    [Fact]
    public async Task What_cannot_be_handed_on_is_dropped()
    {
        await Postgres.ExecuteAsync(
            """
            DROP SCHEMA IF EXISTS side CASCADE;
            CREATE SCHEMA side;
            GRANT USAGE, CREATE ON SCHEMA side TO cb_admin WITH GRANT OPTION;
            """
        );
        var (lease, secret) = await IssueAsync();
        await Postgres.ExecuteAsync($"SET ROLE cb_admin; GRANT USAGE, CREATE ON SCHEMA side TO \"{secret.Username}\"");
        await RunAsync(
            secret,
            """
            CREATE TABLE work.notes (id int);
            CREATE VIEW work.seen AS SELECT * FROM work.notes;
            CREATE FUNCTION side.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
            """
        );
        await Postgres.ExecuteAsync("REVOKE GRANT OPTION FOR CREATE ON SCHEMA side FROM cb_admin CASCADE");

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));

        Assert.Empty(await Postgres.IssuedUsersAsync());
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM pg_proc WHERE pronamespace = 'side'::regnamespace"));
        Assert.Equal(
            "notes",
            await ReadAsync(
                "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relowner = 'cb_objects'::regrole "
                    + "AND relnamespace = 'work'::regnamespace AND relkind IN ('r', 'v')"
            )
        );
    }

    /// <summary>What passes by itself: it says nothing of whether a thing can be handed on.</summary>
    [Theory]
    [InlineData(PostgresErrorCodes.DeadlockDetected)]
    [InlineData(PostgresErrorCodes.InternalError)]
    [InlineData(PostgresErrorCodes.OutOfMemory)]
    public async Task A_fault_that_passes_costs_no_table(string sqlState)
    {
        var (lease, secret) = await IssueAsync();
        await RunAsync(
            secret,
            """
            CREATE TABLE work.bait (id int);
            INSERT INTO work.bait VALUES (1), (2);
            CREATE INDEX steal ON work.bait ((id + 1));
            """
        );
        await Postgres.ExecuteAsync(
            $$"""
            CREATE SEQUENCE work.faults;
            GRANT USAGE ON SEQUENCE work.faults TO PUBLIC;
            CREATE FUNCTION work.fail_once() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $f$ BEGIN
              IF nextval('work.faults') = 1 THEN RAISE EXCEPTION 'once' USING ERRCODE = '{{sqlState}}'; END IF;
            END $f$;
            CREATE EVENT TRIGGER fail_once ON ddl_command_start WHEN TAG IN ('DROP INDEX')
              EXECUTE FUNCTION work.fail_once();
            """
        );
        RevokeOutcome outcome;
        try
        {
            outcome = await Issuer.RevokeAsync(lease, default);
        }
        finally
        {
            await Postgres.ExecuteAsync("DROP EVENT TRIGGER fail_once");
        }

        Assert.True(outcome is RevokeOutcome.Confirmed, outcome.ToString());
        Assert.Empty(await Postgres.IssuedUsersAsync());
        Assert.Equal("2", await ReadAsync("SELECT last_value FROM work.faults"));
        Assert.Equal("2", await ReadAsync("SELECT count(*) FROM work.bait"));
    }

    /// <summary>What another issued user holds in a transaction that it does not end.</summary>
    [Theory]
    [InlineData("LOCK TABLE work.mine IN ACCESS SHARE MODE")]
    [InlineData("SELECT * FROM work.mine")]
    [InlineData("GRANT SELECT ON work.accomplices TO \"{victim}\"")]
    [InlineData("SELECT lo_put({object}, 0, 'x')")]
    public async Task An_accomplices_open_transaction_does_not_keep_a_user(string held)
    {
        var ((lease, secret), (_, accomplice)) = (await IssueAsync(), await IssueAsync());
        await RunAsync(secret, $"CREATE TABLE work.mine (id int); GRANT ALL ON work.mine TO \"{accomplice.Username}\"");
        await RunAsync(accomplice, "CREATE TABLE work.accomplices (id int)");
        var large = await ReadAsync($"SET ROLE \"{secret.Username}\"; SELECT lo_create(0)");
        await Postgres.ExecuteAsync($"GRANT ALL ON LARGE OBJECT {large} TO \"{accomplice.Username}\"");
        await using var session = await Postgres.ConnectAsync(accomplice.Username, accomplice.Password.Reveal());
        await using var hold = new NpgsqlCommand(
            "BEGIN; "
                + held.Replace("{victim}", secret.Username, StringComparison.Ordinal)
                    .Replace("{object}", large, StringComparison.Ordinal),
            session
        );
        await hold.ExecuteNonQueryAsync();

        var outcome = await Issuer.RevokeAsync(lease, default);

        Assert.True(outcome is RevokeOutcome.Confirmed, outcome.ToString());
        Assert.DoesNotContain(secret.Username, await Postgres.IssuedUsersAsync());
        Assert.Equal(
            "cb_objects",
            await ReadAsync("SELECT relowner::regrole::text FROM pg_class WHERE oid = 'work.mine'::regclass")
        );
    }

    [Fact]
    public async Task Somebody_elses_open_transaction_is_not_ended_and_the_revocation_says_what_it_waits_for()
    {
        var (lease, secret) = await IssueAsync();
        await RunAsync(secret, "CREATE TABLE work.mine (id int)");
        await using var session = await Postgres.ConnectAsync();
        await using var hold = new NpgsqlCommand("BEGIN; SELECT * FROM work.mine", session);
        await hold.ExecuteNonQueryAsync();

        var failed = Assert.IsType<RevokeOutcome.Failed>(await Issuer.RevokeAsync(lease, default));

        Assert.Contains("lock timeout", failed.Error, StringComparison.Ordinal);
        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
        await using var end = new NpgsqlCommand("COMMIT", session);
        await end.ExecuteNonQueryAsync();
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));
    }

    [Fact]
    public async Task Agents_that_grant_each_other_everything_lose_it_in_any_order()
    {
        foreach (var firstIsRevokedFirst in new[] { true, false })
        {
            var ((first, one), (second, other)) = (await IssueAsync(), await IssueAsync());
            await RunAsync(
                one,
                $"""
                CREATE TABLE work.a{firstIsRevokedFirst} (id int);
                GRANT ALL ON work.a{firstIsRevokedFirst} TO "{other.Username}" WITH GRANT OPTION;
                """
            );
            await RunAsync(
                other,
                $"""
                CREATE TABLE work.b{firstIsRevokedFirst} (id int);
                GRANT ALL ON work.b{firstIsRevokedFirst} TO "{one.Username}" WITH GRANT OPTION;
                GRANT SELECT (id) ON work.b{firstIsRevokedFirst} TO "{one.Username}";
                CREATE FUNCTION work.g{firstIsRevokedFirst}() RETURNS int LANGUAGE sql AS 'SELECT 1';
                GRANT ALL ON FUNCTION work.g{firstIsRevokedFirst}() TO "{one.Username}" WITH GRANT OPTION;
                """
            );

            foreach (var lease in firstIsRevokedFirst ? new[] { first, second } : [second, first])
            {
                var outcome = await Issuer.RevokeAsync(lease, default);
                Assert.True(outcome is RevokeOutcome.Confirmed, outcome.ToString());
            }

            Assert.Empty(await Postgres.IssuedUsersAsync());
        }
    }

    [Fact]
    public async Task An_agents_table_stops_nobody_elses_user()
    {
        var (_, owner) = await IssueAsync();
        await RunAsync(owner, "CREATE TABLE work.mine (id int)");

        var (lease, secret) = await IssueAsync();

        var refused = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(secret, "SELECT * FROM work.mine"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));
    }

    [Fact]
    public async Task An_agents_grant_that_is_never_committed_keeps_nobody_elses_user_waiting()
    {
        var (_, owner) = await IssueAsync();
        await RunAsync(owner, "CREATE TABLE work.mine (id int); GRANT SELECT ON work.mine TO PUBLIC");
        await using var session = await Postgres.ConnectAsync(owner.Username, owner.Password.Reveal());
        await using var grant = new NpgsqlCommand("BEGIN; GRANT INSERT ON work.mine TO PUBLIC", session);
        await grant.ExecuteNonQueryAsync();

        var (_, secret) = await IssueAsync();

        await RunAsync(secret, "SELECT * FROM work.mine");
    }

    [Fact]
    public async Task A_table_that_the_administrator_may_not_give_away_is_refused_plainly_and_nothing_is_made()
    {
        await Postgres.ExecuteAsync("CREATE TABLE work.theirs (id int)");
        var plan = Plan(Writer);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;

        var refused = Assert.IsType<MintOutcome.Refused>(await Issuer.MintAsync(plan, child, default));

        Assert.Equal(RefusalCode.MintFailed, refused.Refusal.Code);
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task A_server_with_prepared_transactions_is_refused_unless_the_operator_knows()
    {
        var plain = With("prepared-no");
        var accepted = With("prepared-yes");
        accepted = accepted with { Connection = accepted.Connection! with { AcceptsPreparedTransactions = true } };
        await Postgres.ExecuteAsync("ALTER SYSTEM SET max_prepared_transactions = 10");
        await RestartAsync();
        try
        {
            var report = await Environment.SetUpAsync([Environment.Database, plain]);
            var failed = Assert.Single(report.Findings, finding => finding.State == SetupState.Failed);
            Assert.Equal("database/roles/cb-test-prepared-no-reap", failed.Step.Path);
            Assert.Contains("max_prepared_transactions is 10", Assert.Single(failed.Details), StringComparison.Ordinal);
            Assert.True((await Environment.SetUpAsync([Environment.Database, plain, accepted])).IsComplete);

            Assert.Contains("max_prepared_transactions is 10", await CheckAsync(plain), StringComparison.Ordinal);
            Assert.Equal("", await CheckAsync(accepted));
            // What must not wait for the operator does not: a lease is cleaned up there all the same.
            Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.ReapAsync(Lease(Plan(plain), null), default));
        }
        finally
        {
            await Postgres.ExecuteAsync("ALTER SYSTEM RESET max_prepared_transactions");
            await RestartAsync();
        }
    }

    [Fact]
    public async Task The_role_that_inherits_what_users_leave_is_there_before_the_first_of_them()
    {
        await Postgres.ExecuteAsync("DROP OWNED BY cb_objects; DROP ROLE cb_objects");

        Assert.Equal("", await CheckAsync(Environment.Database));

        Assert.Equal("True", await ReadAsync("SELECT pg_has_role('cb_admin', 'cb_objects', 'MEMBER')"));
    }

    private async Task<string> CheckAsync(CatalogueEntry entry)
    {
        using var check = new VaultCheck(
            Environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        var findings = await check.RunAsync([entry], default);
        return Assert
            .Single(findings, finding => finding.What.Contains("what Vault has lost", StringComparison.Ordinal))
            .Detail;
    }

    private async Task RestartAsync()
    {
        await Postgres.StopAsync();
        await Postgres.StartAgainAsync();
    }
}
