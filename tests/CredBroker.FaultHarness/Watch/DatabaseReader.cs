using CredBroker.Testing.Servers;
using Npgsql;

namespace CredBroker.FaultHarness.Watch;

/// <summary>A database user that a mint made, by the lease that its name carries.</summary>
internal sealed record DatabaseUser(string Name, string LeaseId, bool CanLogIn, string PasswordEnds);

/// <summary>
/// Asks PostgreSQL, past the proxy, who is there and who is let in. An answer of null means that it cannot be asked now.
/// </summary>
internal sealed class DatabaseReader(TestPostgres postgres)
{
    public async Task<IReadOnlyList<DatabaseUser>?> UsersAsync()
    {
        try
        {
            await using var connection = await postgres.ConnectAsync();
            await using var command = new NpgsqlCommand(
                """
                SELECT rolname, coalesce(substring(rolname from '^cb-([0-9a-f]{32})_'), ''), rolcanlogin,
                  coalesce(rolvaliduntil::text, 'never')
                FROM pg_roles WHERE rolname ~ '^(cb-|v-)'
                """,
                connection
            );
            await using var row = await command.ExecuteReaderAsync();
            var users = new List<DatabaseUser>();
            while (await row.ReadAsync())
            {
                users.Add(new(row.GetString(0), row.GetString(1), row.GetBoolean(2), row.GetString(3)));
            }

            return users;
        }
        catch (Exception down) when (TestPostgres.IsDown(down))
        {
            return null;
        }
    }

    public async Task<bool?> LetsInAsync(string user, string password)
    {
        try
        {
            return await postgres.CanLogInAsync(user, password);
        }
        catch (Exception down) when (TestPostgres.IsDown(down))
        {
            return null;
        }
    }

    /// <summary>Whether a session still answers; it is closed then.</summary>
    public static async Task<bool> IsOpenAsync(NpgsqlConnection? session)
    {
        if (session is null)
        {
            return false;
        }

        await using (session)
        {
            try
            {
                await using var command = new NpgsqlCommand("SELECT 1", session);
                await command.ExecuteScalarAsync();
                return true;
            }
            catch (Exception ended) when (ended is NpgsqlException or InvalidOperationException or IOException)
            {
                return false;
            }
        }
    }
}
