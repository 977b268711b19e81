using CredBroker.Core.Issuing;
using CredBroker.Testing.Processes;
using Npgsql;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// Agents that leave or hold so much that a revocation in one piece would not fit into the server's lock table.
/// </summary>
public sealed class DatabaseHoardTests(PreparedDatabase database) : WorkSchemaTests(database)
{
    /// <summary>Takes all that there is, and whatever becomes free.</summary>
    internal const string Hoard = """
        DO $$ DECLARE next bigint := (random() * 9e17)::bigint; BEGIN
          LOOP
            BEGIN
              PERFORM pg_advisory_lock(next);
              next := next + 1;
            EXCEPTION WHEN OTHERS THEN
              RAISE NOTICE 'full';
              PERFORM pg_sleep(0.05);
            END;
          END LOOP;
        END $$;
        """;

    [Fact]
    public async Task A_user_whose_locks_fill_the_servers_lock_table_loses_its_sessions_and_goes()
    {
        var (lease, secret) = await IssueAsync();
        await using var session = await ConnectAsync(secret);
        var full = new TaskCompletionSource();
        session.Notice += (_, _) => full.TrySetResult();
        await using var hoard = new NpgsqlCommand(Hoard, session) { CommandTimeout = 0 };
        var hoarding = hoard.ExecuteNonQueryAsync();
        await full.Task.WaitAsync(Patience.Limit);
        try
        {
            // Nobody can log in any more, not even the superuser.
            var refused = await Assert.ThrowsAsync<PostgresException>(() => Postgres.ConnectAsync());
            Assert.Equal(PostgresErrorCodes.OutOfMemory, refused.SqlState);
            var began = TimeProvider.System.GetTimestamp();

            var outcome = await Issuer.RevokeAsync(lease, default);

            Assert.True(outcome is RevokeOutcome.Confirmed, outcome.ToString());
            Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(30));
        }
        catch
        {
            // Nothing less ends that session now.
            await Postgres.StopAsync();
            throw;
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => hoarding);
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task Another_user_whose_locks_fill_the_servers_lock_table_holds_up_no_revocation()
    {
        var ((lease, secret), (other, hoarder)) = (await IssueAsync(), await IssueAsync());
        await using var session = await ConnectAsync(hoarder);
        var full = new TaskCompletionSource();
        session.Notice += (_, _) => full.TrySetResult();
        await using var hoard = new NpgsqlCommand(Hoard, session) { CommandTimeout = 0 };
        var hoarding = hoard.ExecuteNonQueryAsync();
        await full.Task.WaitAsync(Patience.Limit);
        try
        {
            await ConfirmAsync(lease);
        }
        catch
        {
            // Nothing less ends that session now.
            await Postgres.StopAsync();
            throw;
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => hoarding);
        Assert.Equal([hoarder.Username], await Postgres.IssuedUsersAsync());
        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
        await ConfirmAsync(other);
    }

    /// <summary>
    /// A mint that makes thousands of grants says more to other sessions than PostgreSQL keeps for one, its own included:
    /// what that session knew of the server's roles is gone, and to look it up takes a lock.
    /// </summary>
    [Fact]
    public async Task A_user_with_very_many_grants_that_fills_the_lock_table_loses_its_sessions_and_goes()
    {
        await Postgres.ExecuteAsync(
            """
            ALTER DEFAULT PRIVILEGES IN SCHEMA work GRANT SELECT ON TABLES TO cb_admin WITH GRANT OPTION;
            DO $$ BEGIN
              FOR i IN 0..3000 LOOP
                EXECUTE format('CREATE TABLE work."t%s" (id int)', i);
                IF i % 300 = 0 THEN COMMIT; END IF;
              END LOOP;
            END $$;
            """
        );
        try
        {
            // Whatever sessions Vault had: only the one that makes this user has anything in reserve.
            await RestartAsync();
            var (lease, secret) = await IssueAsync();
            await using var session = await ConnectAsync(secret);
            var full = new TaskCompletionSource();
            session.Notice += (_, _) => full.TrySetResult();
            await using var hoard = new NpgsqlCommand(Hoard, session) { CommandTimeout = 0 };
            var hoarding = hoard.ExecuteNonQueryAsync();
            await full.Task.WaitAsync(Patience.Limit);
            var outcome = await Issuer.RevokeAsync(lease, default);
            if (outcome is not RevokeOutcome.Confirmed)
            {
                // Nothing less ends that session now.
                await Postgres.StopAsync();
            }

            Assert.True(outcome is RevokeOutcome.Confirmed, outcome.ToString());
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => hoarding);
            Assert.Empty(await Postgres.IssuedUsersAsync());
        }
        finally
        {
            await RestartAsync();
            await Postgres.ExecuteAsync(
                $"""
                ALTER DEFAULT PRIVILEGES IN SCHEMA work REVOKE ALL ON TABLES FROM cb_admin;
                ALTER SCHEMA work RENAME TO "was {Guid.NewGuid()}";
                """
            );
        }
    }

    /// <summary>What an agent leaves in great numbers, and how it is brought about.</summary>
    [Theory]
    [InlineData("tables", "CREATE TABLE work.\"t%1$s\" (id serial PRIMARY KEY, text text)")]
    [InlineData("views", "CREATE VIEW work.\"v%1$s\" AS SELECT %1$s AS id")]
    [InlineData("a chain of views", "CREATE VIEW work.\"v%1$s\" AS SELECT id FROM work.\"v%2$s\"")]
    [InlineData(
        "a chain of views the other way round",
        "CREATE OR REPLACE VIEW work.\"v%2$s\" AS SELECT id FROM work.\"v%1$s\""
    )]
    [InlineData("views on one", "CREATE VIEW work.\"v%1$s\" AS SELECT id FROM work.\"v0\"")]
    [InlineData(
        "views on one that was made later",
        "CREATE OR REPLACE VIEW work.\"v%2$s\" AS SELECT id FROM work.\"v3000\""
    )]
    [InlineData("functions", "CREATE FUNCTION work.\"f%1$s\"() RETURNS int LANGUAGE sql AS 'SELECT 1'")]
    [InlineData(
        "a chain of functions",
        "CREATE FUNCTION work.\"f%1$s\"() RETURNS int BEGIN ATOMIC SELECT work.\"f%2$s\"(); END"
    )]
    [InlineData(
        "functions in a circle",
        "CREATE OR REPLACE FUNCTION work.\"f%2$s\"() RETURNS int BEGIN ATOMIC SELECT work.\"f%3$s\"(); END"
    )]
    [InlineData("domains", "CREATE DOMAIN work.\"d%1$s\" AS int CHECK (work.\"f0\"() > VALUE)")]
    [InlineData("large objects", "SELECT lo_create(0) FROM generate_series(1, 10)")]
    public async Task What_is_left_in_great_numbers_goes_all_the_same(string what, string one)
    {
        await WithFewLocksAsync(async () =>
        {
            var (lease, secret) = await IssueAsync();
            await RunAsync(
                secret,
                $$"""
                CREATE FUNCTION work.f0() RETURNS int LANGUAGE sql AS 'SELECT 1';
                DO $$ BEGIN
                  FOR i IN 0..3000 LOOP
                    EXECUTE format('CREATE VIEW work."v%s" AS SELECT 1 AS id', i);
                    EXIT WHEN position('OR REPLACE' IN {{Quoted(one)}}) = 0;
                    EXECUTE format('CREATE OR REPLACE FUNCTION work."f%s"() RETURNS int LANGUAGE sql AS ''SELECT 1''', i);
                    IF i % 300 = 0 THEN COMMIT; END IF;
                  END LOOP;
                  COMMIT;
                  FOR i IN 1..3000 LOOP
                    EXECUTE format({{Quoted(one)}}, i, i - 1, i % 3000);
                    IF i % 300 = 0 THEN COMMIT; END IF;
                  END LOOP;
                END $$;
                """
            );

            var outcome = await Issuer.RevokeAsync(lease, default);

            Assert.True(outcome is RevokeOutcome.Confirmed, $"{what}: {outcome}");
            Assert.Empty(await Postgres.IssuedUsersAsync());
            Assert.Equal(
                "0",
                await ReadAsync(
                    "SELECT (SELECT count(*) FROM pg_class WHERE relkind = 'v' AND relnamespace = 'work'::regnamespace) "
                        + "+ (SELECT count(*) FROM pg_proc WHERE pronamespace = 'work'::regnamespace)"
                )
            );
        });
    }

    [Fact]
    public async Task What_others_stand_on_in_great_numbers_stays_and_does_nothing()
    {
        await WithFewLocksAsync(async () =>
        {
            var ((lease, secret), (other, accomplice)) = (await IssueAsync(), await IssueAsync());
            await RunAsync(
                secret,
                """
                CREATE TABLE work.rows (id int);
                INSERT INTO work.rows VALUES (1), (2);
                CREATE VIEW work.view (id, name, amount) AS SELECT id, 'x' COLLATE "C", 1::numeric(5, 2) FROM work.rows;
                CREATE FUNCTION work.plus(a int DEFAULT 1, OUT b int) SECURITY DEFINER LANGUAGE sql AS 'SELECT a + 1';
                GRANT ALL ON work.view TO PUBLIC;
                """
            );
            await RunAsync(
                accomplice,
                """
                DO $$ BEGIN
                  FOR i IN 0..3000 LOOP
                    EXECUTE format('CREATE VIEW work."v%s" AS SELECT * FROM work.view', i);
                    EXECUTE format('CREATE VIEW work."f%s" AS SELECT work.plus()', i);
                    IF i % 300 = 0 THEN COMMIT; END IF;
                  END LOOP;
                END $$;
                """
            );

            await ConfirmAsync(lease);

            Assert.Equal("1", await ReadAsync("SELECT count(*) FROM work.view WHERE id IS NULL AND name IS NULL"));
            Assert.Equal(
                "cb_objects cb_objects False BEGIN END",
                await ReadAsync(
                    """
                    SELECT concat_ws(' ', relowner::regrole, proowner::regrole, CASE WHEN prosecdef THEN 'True' ELSE 'False' END, prosrc)
                    FROM pg_class, pg_proc WHERE pg_class.oid = 'work.view'::regclass AND pg_proc.oid = 'work.plus'::regproc
                    """
                )
            );
            await ConfirmAsync(other);
            Assert.Empty(await Postgres.IssuedUsersAsync());
        });
    }

    private async Task WithFewLocksAsync(Func<Task> test)
    {
        await Postgres.ExecuteAsync("ALTER SYSTEM SET max_locks_per_transaction = 10");
        await RestartAsync();
        try
        {
            await test();
        }
        finally
        {
            await Postgres.ExecuteAsync("ALTER SYSTEM RESET max_locks_per_transaction");
            await RestartAsync();
            // To drop it would take a lock for each thing in it.
            await Postgres.ExecuteAsync($"ALTER SCHEMA work RENAME TO \"was {Guid.NewGuid()}\"");
        }
    }

    private static string Quoted(string sql) => $"'{sql.Replace("'", "''", StringComparison.Ordinal)}'";

    private async Task RestartAsync()
    {
        if (Postgres.IsRunning)
        {
            await Postgres.StopAsync();
        }

        await Postgres.StartAgainAsync();
    }
}
