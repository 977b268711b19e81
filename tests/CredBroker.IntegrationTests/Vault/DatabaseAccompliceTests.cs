using CredBroker.Core.Issuing;
using CredBroker.Core.State;
using CredBroker.Testing.Processes;
using Npgsql;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// Agents whose leases live help one whose lease ends. Before PostgreSQL 15 it makes them members of itself; here an
/// administrator does so for it.
/// </summary>
public sealed class DatabaseAccompliceTests(PreparedDatabase database) : WorkSchemaTests(database)
{
    /// <summary>What the accomplice does and does not end.</summary>
    [Theory]
    [InlineData("SET ROLE \"{victim}\"; BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'mine'")]
    [InlineData("SET ROLE \"{victim}\"; BEGIN; ALTER ROLE CURRENT_USER SET work_mem = '1MB'")]
    [InlineData("SET ROLE \"{victim}\"; BEGIN; CREATE TABLE work.theirs (id int)")]
    [InlineData("SET ROLE \"{victim}\"; BEGIN; SELECT lo_create(0)")]
    [InlineData("CREATE TABLE work.mine (id int); BEGIN; ALTER TABLE work.mine OWNER TO \"{victim}\"")]
    [InlineData("CREATE TABLE work.mine (id int); BEGIN; GRANT SELECT ON work.mine TO \"{victim}\"")]
    public async Task What_another_holds_as_the_user_keeps_neither_its_login_nor_the_user(string held)
    {
        var ((lease, secret), (_, accomplice)) = (await IssueAsync(), await IssueAsync());
        await Postgres.ExecuteAsync($"GRANT \"{secret.Username}\" TO \"{accomplice.Username}\"");
        await using var session = await ConnectAsync(accomplice);
        await using var hold = new NpgsqlCommand(For(secret, held), session);
        await hold.ExecuteNonQueryAsync();
        // The membership is gone, and the session acts as the user all the same.
        await Postgres.ExecuteAsync($"REVOKE \"{secret.Username}\" FROM \"{accomplice.Username}\"");

        await GoesAsync(lease, secret);
    }

    /// <summary>What the accomplice does again and again.</summary>
    [Theory]
    [InlineData("SET ROLE \"{victim}\"; ALTER ROLE CURRENT_USER PASSWORD 'mine'")]
    [InlineData("SET ROLE \"{victim}\"; CREATE TABLE work.\"{new}\" (id int)")]
    [InlineData("SET ROLE \"{victim}\"; SELECT lo_create(0)")]
    [InlineData("CREATE TABLE work.\"{new}\" (id int); ALTER TABLE work.\"{new}\" OWNER TO \"{victim}\"")]
    public async Task What_another_keeps_giving_the_user_keeps_neither_its_login_nor_the_user(string given)
    {
        var ((lease, secret), (other, accomplice)) = (await IssueAsync(), await IssueAsync());
        await Postgres.ExecuteAsync($"GRANT \"{secret.Username}\" TO \"{accomplice.Username}\"");
        using var over = new CancellationTokenSource();
        var began = new TaskCompletionSource();
        var givers = Enumerable
            .Range(0, 4)
            .Select(_ => GiveAsync(accomplice, For(secret, given), began, over.Token))
            .ToList();
        try
        {
            await began.Task.WaitAsync(Patience.Limit);

            await GoesAsync(lease, secret);
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(givers);
        }

        await ConfirmAsync(other);
    }

    [Fact]
    public async Task What_another_built_on_the_users_view_and_functions_goes_with_them()
    {
        var ((lease, secret), (other, accomplice)) = (await IssueAsync(), await IssueAsync());
        await RunAsync(
            secret,
            """
            CREATE TABLE work.rows (id int);
            CREATE VIEW work.seen AS SELECT * FROM work.rows;
            CREATE FUNCTION work.twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * $1';
            GRANT SELECT, REFERENCES ON work.rows, work.seen TO PUBLIC;
            """
        );
        await RunAsync(
            accomplice,
            """
            CREATE VIEW work.mirror AS SELECT * FROM work.seen;
            CREATE TABLE work.kept (id int DEFAULT work.twice(1) CHECK (work.twice(id) > 0), row work.rows);
            CREATE INDEX ON work.kept (work.twice(id));
            INSERT INTO work.kept VALUES (1);
            """
        );

        await GoesAsync(lease, secret);

        Assert.Equal("1", await ReadAsync("SELECT count(*) FROM work.kept"));
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM pg_class WHERE relname = 'mirror'"));
        await ConfirmAsync(other);
    }

    private static string For(IssuedSecret.Database victim, string sql) =>
        sql.Replace("{victim}", victim.Username, StringComparison.Ordinal);

    private async Task GoesAsync(Lease lease, IssuedSecret.Database secret)
    {
        var outcome = await Issuer.RevokeAsync(lease, default);
        Assert.True(outcome is RevokeOutcome.Confirmed, outcome.ToString());
        Assert.DoesNotContain(secret.Username, await Postgres.IssuedUsersAsync());
        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
    }

    private async Task GiveAsync(
        IssuedSecret.Database accomplice,
        string sql,
        TaskCompletionSource began,
        CancellationToken cancellationToken
    )
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var session = await ConnectAsync(accomplice);
                while (!cancellationToken.IsCancellationRequested)
                {
                    await using var command = new NpgsqlCommand(
                        "RESET ROLE; " + sql.Replace("{new}", $"{Guid.NewGuid()}", StringComparison.Ordinal),
                        session
                    );
                    await command.ExecuteNonQueryAsync(cancellationToken);
                    began.TrySetResult();
                }
            }
            catch (Exception fault) when (fault is NpgsqlException or OperationCanceledException)
            {
                // Cut, refused, or in another's way: again.
            }
        }
    }
}
