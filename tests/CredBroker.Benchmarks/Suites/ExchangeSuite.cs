using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 1: an exchange of a dynamic credential by the real broker on a Vault that costs nothing, beside the bare
/// floor. First with tokens that the broker does not remember, so that both check each signature; then with a few that
/// come back, as an agent's does.
/// </summary>
internal static class ExchangeSuite
{
    private const int Returning = 1_000;

    public static async Task RunAsync(BenchOptions options)
    {
        Report.PrintTitle("exchange: a dynamic credential on a zero-cost Vault stub, SQLite synchronous=FULL, RS256");
        using var agents = new Agents();
        using var directory = new BenchDirectory(options);
        var jwks = Path.Combine(directory.Info.FullName, "jwks.json");
        await File.WriteAllTextAsync(jwks, agents.Jwks);
        await using var vault = await Child.StartOwnAsync("vault-stub");
        await using var bare = await Child.StartOwnAsync(
            "bare",
            $"{vault.Address.Port}",
            jwks,
            "sqlite",
            Path.Combine(directory.Info.FullName, "bare.db")
        );
        await using var broker = await RealBroker.StartAsync(directory.Info, agents, vault.Address, "hvs.own");

        var tokens = agents.Mint(options.Tokens);
        var isWarm = false;
        foreach (
            var (title, count) in new[]
            {
                ("tokens taken in turn, more than the broker remembers", tokens.Length),
                ("tokens that come back", Math.Min(Returning, tokens.Length)),
            }
        )
        {
            var requests = ExchangeRequests.Of(tokens.Take(count), "reports");
            Contender[] contenders = [Exchanging("broker", broker, requests), Exchanging("bare floor", bare, requests)];
            if (!isWarm)
            {
                await Rounds.WarmUpAsync(contenders, options);
                isWarm = true;
            }

            Console.WriteLine($"  {count:N0} {title}:");
            foreach (var concurrency in options.Concurrency)
            {
                Report.PrintContenders(
                    contenders,
                    await Rounds.RunAsync(contenders, concurrency, options),
                    concurrency
                );
            }
        }
    }

    private static Contender Exchanging(string name, Child child, byte[][] requests) =>
        new(
            name,
            [child.Address],
            [child.CpuTime],
            (connection, index) => connection.SendAsync(requests[index % requests.Length])
        );
}
