using CredBroker.Core.Issuing;
using CredBroker.Testing.Processes;
using Npgsql;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// An agent that fills the server's lock table, and logs in again at once when its session is ended. In a database with
/// few things: the more there are to be looked through, the longer a user's end takes, and the better for the hoarder.
/// </summary>
public sealed class DatabaseHoardAgainTests(PreparedDatabase database) : WorkSchemaTests(database)
{
    private const int Attempts = 2;

    /// <summary>By the revocation at Vault, or by the reaper where Vault knows of no such user.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_user_that_logs_in_again_and_fills_the_lock_table_anew_holds_up_nobodys_end(bool isLost)
    {
        var ((lease, secret), (other, hoarder)) = (await IssueAsync(), await IssueAsync());
        using var stop = new CancellationTokenSource();
        var full = new TaskCompletionSource();
        Task[] hoarders = [.. Enumerable.Range(0, 3).Select(_ => HoardAgainAsync(hoarder, full, stop.Token))];
        await full.Task.WaitAsync(Patience.Limit);
        try
        {
            // It is a race that the hoarder mostly loses; what it wins is tried again, as the broker does.
            RevokeOutcome? outcome = null;
            for (var attempt = 0; attempt < Attempts && outcome is not RevokeOutcome.Confirmed; attempt++)
            {
                outcome = isLost ? await Issuer.ReapAsync(lease, default) : await Issuer.RevokeAsync(lease, default);
            }

            Assert.True(outcome is RevokeOutcome.Confirmed, outcome?.ToString());
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(hoarders);
            await Postgres.StopAsync();
            await Postgres.StartAgainAsync();
        }

        Assert.Equal([hoarder.Username], await Postgres.IssuedUsersAsync());
        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
        await ConfirmAsync(other);
        await ConfirmAsync(lease);
    }

    /// <summary>Logs in and fills the lock table, again and again.</summary>
    private async Task HoardAgainAsync(IssuedSecret.Database hoarder, TaskCompletionSource full, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var session = await ConnectAsync(hoarder);
                session.Notice += (_, _) => full.TrySetResult();
                var hoard = DatabaseHoardTests.Hoard.Replace(
                    "pg_sleep(0.05)",
                    "pg_sleep(0.001)",
                    StringComparison.Ordinal
                );
                await using var command = new NpgsqlCommand(hoard, session) { CommandTimeout = 0 };
                await command.ExecuteNonQueryAsync(stop);
            }
            catch (Exception refused) when (refused is NpgsqlException or OperationCanceledException)
            {
                // Its session was ended, or there was no room for another.
            }
        }
    }
}
