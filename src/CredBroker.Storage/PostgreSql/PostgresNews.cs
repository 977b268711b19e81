using CredBroker.Core.State;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// Hears that another broker has committed an order, a hold, a policy version or a word on a question, and has this one look. A hint that saves
/// waiting: whoever misses it looks each second.
/// </summary>
internal sealed class PostgresNews : IDisposable
{
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    private readonly PostgresDatabase _database;
    private readonly Func<CancellationToken, Task> _look;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _listening;

    /// <summary>Begins to listen.</summary>
    /// <param name="database">The database.</param>
    /// <param name="look">Looks what others have committed.</param>
    public PostgresNews(PostgresDatabase database, Func<CancellationToken, Task> look)
    {
        (_database, _look) = (database, look);
        _listening = Task.Run(ListenAsync);
    }

    /// <summary>Listens no more.</summary>
    public void Dispose()
    {
        if (!_listening.IsCompleted)
        {
            _stopping.Cancel();
            _listening.GetAwaiter().GetResult();
            _stopping.Dispose();
        }
    }

    private async Task ListenAsync()
    {
        var connection = _database.Listener;
        var (isTold, wasLost) = (false, false);
        connection.Notification += (_, told) => isTold |= told.Payload != _database.Broker;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await connection.OpenAsync(_stopping.Token);
                await using (var listen = new NpgsqlCommand($"LISTEN {_database.Channel}", connection))
                {
                    await listen.ExecuteNonQueryAsync(_stopping.Token);
                }

                // What was told meanwhile, nobody heard.
                isTold = wasLost;
                while (true)
                {
                    if (isTold)
                    {
                        isTold = false;
                        await _look(_stopping.Token);
                    }
                    else
                    {
                        await connection.WaitAsync(_stopping.Token);
                    }
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or StoreUnavailableException)
            {
                // The writer says what is wrong, and looks each second meanwhile.
                wasLost = true;
                await connection.CloseAsync();
                await Task.Delay(AfterFault, _database.Time, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
