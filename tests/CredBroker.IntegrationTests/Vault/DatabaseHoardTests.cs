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
    private const string Hoard = """
        DO $$ DECLARE next bigint := 0; BEGIN
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
}
