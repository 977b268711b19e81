using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;
using CredBroker.Testing.Servers;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// The whole exchange with the store on PostgreSQL, by one broker and by two on one schema, beside the same broker on
/// SQLite and beside two bare floors on PostgreSQL: one that writes all the rows that the store writes, and one that
/// writes a row for the lease and one for the log, as the floor on SQLite does. The two brokers are two processes, as
/// where they run on two machines: each has its own threads, its own garbage collection and its own writer.
/// </summary>
internal static class SharedExchangeSuite
{
    private const int Returning = 1_000;

    public static async Task RunAsync(BenchOptions options)
    {
        if (TestPostgres.FindPrograms() is null)
        {
            Report.PrintTitle("shared: PostgreSQL is left out, there is no initdb");
            return;
        }

        using var agents = new Agents();
        var tokens = agents.Mint(options.Tokens);
        foreach (var flushes in new[] { true, false })
        {
            Report.PrintTitle(
                "shared: a dynamic credential on a zero-cost Vault stub, RS256, PostgreSQL with "
                    + $"synchronous_commit=on fsync={(flushes ? "on" : "off")}"
            );
            using var directory = new BenchDirectory(options);
            await using var vault = await Child.StartOwnAsync("vault-stub");
            await using var postgres = await BenchPostgres.StartAsync(directory, flushes);
            await using var onSqlite = await BrokerAsync("sqlite", null);
            await using var alone = await BrokerAsync("alone", await postgres.CreateSchemaAsync("alone"));
            var pair = await postgres.CreateSchemaAsync("pair");
            await using var first = await BrokerAsync("first", pair);
            await using var second = await BrokerAsync("second", pair);
            await OneExchangeAsync(alone, tokens);
            await using var rows = await BareAsync(await postgres.StoreRowsAsync("rows", like: "alone"));
            await using var bare = await BareAsync(["postgres", await postgres.CreateSchemaAsync("bare")]);

            var isWarm = false;
            foreach (
                var (title, count) in new[]
                {
                    ("tokens that come back", Math.Min(Returning, tokens.Length)),
                    ("tokens taken in turn, more than a broker remembers", tokens.Length),
                }
            )
            {
                var requests = ExchangeRequests.Of(tokens.Take(count), "reports");
                Contender[] contenders =
                [
                    Exchanging("broker, SQLite", onSqlite),
                    Exchanging("broker", alone),
                    Exchanging("two brokers", first, second),
                    Exchanging("floor, store's rows", rows),
                    Exchanging("bare floor", bare),
                ];
                if (!isWarm)
                {
                    await Rounds.WarmUpAsync(contenders, options);
                    isWarm = true;
                }

                Console.WriteLine($"  {count:N0} {title}; CPU: broker + PostgreSQL:");
                foreach (var concurrency in options.Concurrency)
                {
                    Report.PrintContenders(
                        contenders,
                        await Rounds.RunAsync(contenders, concurrency, options),
                        concurrency
                    );
                }

                Contender Exchanging(string name, params Child[] children) =>
                    new(
                        name,
                        [.. children.Select(child => child.Address)],
                        [() => new(children.Sum(child => child.CpuTime().Ticks)), postgres.CpuTime],
                        (connection, index) => connection.SendAsync(requests[index % requests.Length])
                    );
            }

            Task<Child> BrokerAsync(string name, string? connectionStringFile) =>
                RealBroker.StartAsync(
                    directory.Info.CreateSubdirectory($"{name}-broker"),
                    agents,
                    vault.Address,
                    "hvs.own",
                    connectionStringFile
                );

            async Task<Child> BareAsync(string[] store)
            {
                var jwks = Path.Combine(directory.Info.FullName, "jwks.json");
                await File.WriteAllTextAsync(jwks, agents.Jwks);
                return await Child.StartOwnAsync("bare", [$"{vault.Address.Port}", jwks, .. store]);
            }
        }
    }

    private static async Task OneExchangeAsync(Child broker, string[] tokens)
    {
        using var connection = await HttpConnection.OpenAsync(broker.Address);
        var answer = await connection.SendAsync(ExchangeRequests.Of(tokens.Take(1), "reports")[0]);
        if (!answer.IsSuccess)
        {
            throw new InvalidOperationException($"The broker answered {answer}");
        }
    }
}
