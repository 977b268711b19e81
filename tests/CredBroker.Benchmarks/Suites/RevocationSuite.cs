using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;
using Microsoft.Data.Sqlite;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 4: from the moment that a lease is due until Vault has confirmed that it is gone, among many live leases and
/// while exchanges go on.
/// </summary>
internal static class RevocationSuite
{
    private const int ShortTtlSeconds = 10;
    private const int Connections = 4;
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(BenchOptions options)
    {
        Report.PrintTitle(
            $"revocation: leases of {ShortTtlSeconds} s expire among "
                + $"{options.Leases:N0} live ones, zero-cost Vault stub"
        );
        using var agents = new Agents();
        using var directory = new BenchDirectory(options);
        await using var vault = await Child.StartOwnAsync("vault-stub");
        await using var broker = await RealBroker.StartAsync(directory.Info, agents, vault.Address, "hvs.own");

        var tokens = agents.Mint(Math.Min(options.Tokens, 1_000));
        var lasting = Asking(broker, ExchangeRequests.Of(tokens, "reports"));
        var live = 0;
        while (live < options.Leases)
        {
            live += (await LoadRun.RunAsync(lasting, options.Concurrency[0], TimeSpan.FromSeconds(2))).Latencies.Count;
        }

        // Exchanges go on until the first of them have been expiring for the measured time.
        var brief = Asking(broker, ExchangeRequests.Of(tokens, "reports", $",\"ttl\":\"{ShortTtlSeconds}s\""));
        var asked = await LoadRun.RunAsync(brief, Connections, TimeSpan.FromSeconds(ShortTtlSeconds + options.Seconds));
        var lags = await DrainAsync(RealBroker.Database(directory.Info), asked.Latencies.Count);

        var table = new Table(
            "",
            "live leases",
            "exchanges/s meanwhile",
            "revoked",
            "lag p50 ms",
            "lag p99 ms",
            "longest ms"
        );
        table.Add(
            "expiry",
            $"{live:N0}",
            $"{asked.PerSecond:N0}",
            $"{lags.Count:N0}",
            $"{At(0.5):N0}",
            $"{At(0.99):N0}",
            $"{At(1):N0}"
        );
        table.Print();

        long At(double part) => lags.Count == 0 ? 0 : lags[Math.Min(lags.Count - 1, (int)(lags.Count * part))];
    }

    private static Contender Asking(Child broker, byte[][] requests) =>
        new(
            "broker",
            [broker.Address],
            [broker.CpuTime],
            (connection, index) => connection.SendAsync(requests[index % requests.Length])
        );

    /// <summary>
    /// Waits until as many leases are confirmed as revoked, and returns how late each was, in milliseconds, shortest
    /// first. Reads the broker's own record of it.
    /// </summary>
    private static async Task<IReadOnlyList<long>> DrainAsync(string database, int expected)
    {
        await using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = database,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false,
            }.ToString()
        );
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT confirmed_at - expires_at FROM lease WHERE state = 'revoked' ORDER BY 1";
        using var limit = new CancellationTokenSource(DrainLimit);
        while (true)
        {
            var lags = new List<long>();
            await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                while (await reader.ReadAsync(CancellationToken.None))
                {
                    lags.Add(reader.GetInt64(0));
                }
            }

            if (lags.Count >= expected || limit.IsCancellationRequested)
            {
                return lags.Count >= expected
                    ? lags
                    : throw new InvalidOperationException(
                        $"Only {lags.Count} of {expected} leases were revoked within {DrainLimit.TotalSeconds} s."
                    );
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
        }
    }
}
