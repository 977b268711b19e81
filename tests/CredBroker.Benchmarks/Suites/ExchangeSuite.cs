using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;

namespace CredBroker.Benchmarks.Suites;

/// <summary>Target 1: an exchange of a dynamic credential by the real broker on a Vault that costs nothing, beside the bare floor.</summary>
internal static class ExchangeSuite
{
    public static async Task RunAsync(BenchOptions options)
    {
        Report.PrintTitle("exchange: dynamic credential, zero-cost Vault stub, SQLite synchronous=FULL");
        using var agents = new Agents();
        var directory = Directory.CreateDirectory(Path.Combine(options.Directory, $"credbroker-bench-{Environment.ProcessId}"));
        try
        {
            var jwks = Path.Combine(directory.FullName, "jwks.json");
            await File.WriteAllTextAsync(jwks, agents.Jwks);
            await using var vault = await Child.StartOwnAsync("vault-stub");
            await using var bare = await Child.StartOwnAsync("bare", $"{vault.Address.Port}", Path.Combine(directory.FullName, "bare.db"), jwks);
            var requests = Requests(agents.Mint(options.Tokens));
            Contender[] contenders = [Exchanging("bare floor", bare, requests)];
            await Rounds.WarmUpAsync(contenders, options);
            foreach (var concurrency in options.Concurrency)
            {
                Report.PrintContenders(contenders, await Rounds.RunAsync(contenders, concurrency, options), concurrency);
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>One request per token, as bytes.</summary>
    private static byte[][] Requests(IEnumerable<string> tokens) =>
    [
        .. tokens.Select((token, i) => HttpConnection.Request(
            "POST",
            "/v1/credentials",
            $"Authorization: Bearer {token}\r\n",
            $$"""{"task":{"id":"task-{{i}}","process":"monthly-reports","purpose":"Write the report of the month"},"credential":"reports","actions":["read"]}""")),
    ];

    private static Contender Exchanging(string name, Child child, byte[][] requests) =>
        new(name, child.Address, [child.Process], (connection, index) => connection.SendAsync(requests[index % requests.Length]));
}
