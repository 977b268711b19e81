using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;
using CredBroker.Testing.Servers;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Targets 3 and 4, on SQLite and on PostgreSQL in turn, among many live leases: from an admin's order of a thousand of
/// them until each is confirmed; from the moment that a lease is due until Vault has confirmed that it is gone, while
/// exchanges go on; and from a new policy version until every lease was tried on it. The live leases were made by the
/// store before the broker was started.
/// </summary>
internal static class RevocationSuite
{
    private const int Orders = 5;
    private const int OfOneOrder = 1_000;
    private const string Leaver = "leaver";
    private const int ShortTtlSeconds = 10;
    private const int ExpiryRounds = 2;
    private const int Connections = 4;

    public static async Task RunAsync(BenchOptions options)
    {
        using var agents = new Agents();
        using var directory = new BenchDirectory(options);
        await using var vault = await Child.StartOwnAsync("vault-stub");
        await using var postgres = TestPostgres.FindPrograms() is null
            ? null
            : await BenchPostgres.StartAsync(directory, flushes: true);
        var stores = new List<FullBroker>();
        try
        {
            stores.Add(await FullBroker.StartOnSqliteAsync(directory.Info, agents, vault.Address, FillAsync));
            if (postgres is not null)
            {
                stores.Add(await FullBroker.StartAsync(postgres, directory.Info, agents, vault.Address, FillAsync));
            }

            await OrderAsync(stores, agents.MintAdmin(), options);
            await ExpireAsync(stores, ExchangeRequests.Of(agents.Mint(1_000), "reports", Brief), options);
            await ChangePolicyAsync(stores, options);
        }
        finally
        {
            foreach (var store in stores)
            {
                await store.DisposeAsync();
            }
        }

        async Task FillAsync(LeasePairs pairs)
        {
            var left = options.Leases;
            await Task.WhenAll(
                Enumerable
                    .Range(0, options.Concurrency[^1])
                    .Select(_ =>
                        Task.Run(async () =>
                        {
                            for (var i = 0; (i = Interlocked.Decrement(ref left)) >= 0; )
                            {
                                await pairs.CommitAsync(InstanceOf(i, options.Leases));
                            }
                        })
                    )
            );
        }
    }

    private static string Brief => $",\"ttl\":\"{ShortTtlSeconds}s\"";

    /// <summary>Whose the lease is after which so many are left to make: those of the leaver are the first.</summary>
    private static string InstanceOf(int left, int leases) =>
        left switch
        {
            _ when left >= leases - OfOneOrder => Leaver,
            < Orders * OfOneOrder => Victim(left / OfOneOrder),
            _ => "worker-1",
        };

    private static string Victim(int order) => $"victim-{order}";

    private static async Task OrderAsync(List<FullBroker> stores, string admin, BenchOptions options)
    {
        Report.PrintTitle(
            $"revocation: {Orders} orders of {OfOneOrder:N0} leases each, one at a time and in turn, among "
                + $"{options.Leases:N0} live ones, zero-cost Vault stub"
        );
        var before = stores.ConvertAll(store => store.Memory());
        var orders = stores.ConvertAll(_ => new List<OrderFigures>());
        for (var order = 0; order < Orders; order++)
        {
            foreach (var (i, store) in stores.Index())
            {
                orders[i].Add(await store.OrderAsync(admin, Victim(order)));
            }
        }

        var table = new Table(
            "middle of the orders (longest), ms",
            "accepted",
            "fence seen by another broker",
            "all marked",
            "all confirmed",
            "RSS MB before",
            "after"
        );
        foreach (var (i, store) in stores.Index())
        {
            if (orders[i].Exists(order => order.Leases != OfOneOrder))
            {
                throw new InvalidOperationException($"An order on {store.Name} did not reach what it should.");
            }

            table.Add(
                store.Name,
                Middle(orders[i], order => order.Accepted),
                Middle(orders[i], order => order.FenceSeen),
                Middle(orders[i], order => order.AllMarked),
                Middle(orders[i], order => order.AllConfirmed),
                $"{before[i]:N0}",
                $"{store.Memory():N0}"
            );
        }

        table.Print();

        static string Middle(IEnumerable<OrderFigures> orders, Func<OrderFigures, TimeSpan?> figure)
        {
            var sorted = orders.Select(figure).OfType<TimeSpan>().Order().ToList();
            return sorted.Count == 0
                ? "-"
                : $"{sorted[sorted.Count / 2].TotalMilliseconds:N0} ({sorted[^1].TotalMilliseconds:N0})";
        }
    }

    private static async Task ExpireAsync(List<FullBroker> stores, byte[][] brief, BenchOptions options)
    {
        Report.PrintTitle(
            $"revocation: leases of {ShortTtlSeconds} s expire among {options.Leases:N0} live ones, in turn"
        );
        var asked = stores.ConvertAll(_ => new List<Measurement>());
        for (var round = 0; round < ExpiryRounds; round++)
        {
            foreach (var (i, store) in stores.Index())
            {
                // Exchanges go on until the first of them have been expiring for the measured time.
                var seconds = ShortTtlSeconds + (options.Seconds / ExpiryRounds);
                asked[i].Add(await LoadRun.RunAsync(store.Asking(brief), Connections, TimeSpan.FromSeconds(seconds)));
                await store.DrainAsync(asked[i].Sum(run => run.Latencies.Count));
            }
        }

        var table = new Table(
            "expiry",
            "exchanges/s meanwhile",
            "revoked",
            "lag p50 ms",
            "lag p99 ms",
            "longest ms",
            "RSS MB after"
        );
        foreach (var (i, store) in stores.Index())
        {
            var run = Measurement.Sum(asked[i]);
            var lags = await store.DrainAsync(run.Latencies.Count);
            table.Add(
                store.Name,
                $"{run.PerSecond:N0}",
                $"{lags.Count:N0}",
                $"{At(0.5):N0}",
                $"{At(0.99):N0}",
                $"{At(1):N0}",
                $"{store.Memory():N0}"
            );

            long At(double part) => lags.Count == 0 ? 0 : lags[Math.Min(lags.Count - 1, (int)(lags.Count * part))];
        }

        table.Print();
    }

    /// <summary>
    /// The first leases that were made are those that the new version ends: a pass tries the newest first, so that they
    /// are marked when each of the others was tried.
    /// </summary>
    private static async Task ChangePolicyAsync(List<FullBroker> stores, BenchOptions options)
    {
        Report.PrintTitle(
            $"revocation: a new policy version ends {OfOneOrder:N0} of {options.Leases:N0} live leases, the last ones it tries"
        );
        var document =
            BenchPolicy.Document.Text
            + $$"""
                  - { id: leaver-is-gone, effect: deny, when: 'agent == "worker" && identity.instance == "{{Leaver}}"' }

                """;
        var table = new Table("from the version's application, ms", "all tried and marked", "all confirmed");
        foreach (var store in stores)
        {
            var figures = await store.ChangePolicyAsync(document, OfOneOrder);
            table.Add(
                store.Name,
                $"{figures.AllMarked.TotalMilliseconds:N0}",
                $"{figures.AllConfirmed.TotalMilliseconds:N0}"
            );
        }

        table.Print();
    }
}
