using System.Diagnostics;
using System.Net.Sockets;
using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 6: how long the real broker takes from the start of its process to its first answered exchange, and what it
/// takes while nobody asks: at first, and after much work. On SQLite, on a real OpenBao where there is one.
/// </summary>
internal static class IdleSuite
{
    private const int Starts = 5;
    private const int Concurrency = 32;
    private const double StartGoal = 1;
    private const double MemoryGoal = 120;
    private const double CpuGoal = 0.5;
    private static readonly TimeSpan RestLimit = TimeSpan.FromMinutes(5);

    public static async Task RunAsync(BenchOptions options)
    {
        using var agents = new Agents();
        using var directory = new BenchDirectory(options);
        var binary = OpenBao.FindBinary();
        await using var bao = binary is null ? null : await OpenBao.StartAsync(binary);
        await using var stub = bao is null ? await Child.StartOwnAsync("vault-stub") : null;
        var vault = bao?.Child.Address ?? stub!.Address;
        var (token, credential) = bao is null
            ? ("hvs.own", BenchPolicy.Database)
            : (await bao.SetUpAsync(BenchPolicy.Document, BenchPolicy.Token), BenchPolicy.Token);

        Report.PrintTitle(
            $"idle: start to the first answered exchange, and {options.Idle} s at rest; default settings, SQLite, "
                + (bao is null ? "Vault stub" : "a real OpenBao")
        );
        var requests = ExchangeRequests.Of(agents.Mint(options.Tokens), credential);
        var table = new Table("start to first answered exchange, s", "middle", "shortest", "longest", "broker's CPU s");

        var first = await StartsAsync("on a new store", 1);
        var again = await StartsAsync($"again, {Starts} times", Starts);
        table.Print();
        Report.PrintGoal("first start", first, "≤", StartGoal, " s");
        Report.PrintGoal("start again", again, "≤", StartGoal, " s");

        await using var broker = await RealBroker.StartAsync(
            directory.Info,
            agents,
            vault,
            token,
            server: options.Server
        );
        var idle = new Table($"{options.Idle} s at rest", "RSS MiB", "of it files' pages", "CPU, % of a core");
        await Task.Delay(TimeSpan.FromSeconds(options.Settle), TimeProvider.System);
        var (memory, cpu) = await RestAsync($"{options.Settle} s after the start");
        var asking = new Contender(
            "broker",
            [broker.Address],
            [broker.CpuTime],
            (connection, index) => connection.SendAsync(requests[index % requests.Length])
        );
        var done = await LoadRun.RunAsync(asking, Concurrency, TimeSpan.FromSeconds(options.Seconds));
        var (after, busy) = await RestAsync($"after {done.Latencies.Count:N0} exchanges, all live");
        idle.Print();
        Report.PrintGoal("memory after the start", memory, "≤", MemoryGoal, " MiB");
        Report.PrintGoal("memory after work", after, "≤", MemoryGoal, " MiB");
        Report.PrintGoal("CPU at rest after the start", cpu, "≤", CpuGoal, " %");
        Report.PrintGoal("CPU at rest after work", busy, "≤", CpuGoal, " %");

        async Task<double> StartsAsync(string name, int count)
        {
            var (times, cpuTimes) = (new List<double>(), new List<double>());
            for (var start = 0; start < count; start++)
            {
                var began = Stopwatch.GetTimestamp();
                await using var started = await RealBroker.StartAsync(
                    directory.Info,
                    agents,
                    vault,
                    token,
                    server: options.Server,
                    isReady: (address, limit) => AnswersAsync(address, requests[start], limit)
                );
                times.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
                cpuTimes.Add(started.CpuTime().TotalSeconds);
            }

            times.Sort();
            cpuTimes.Sort();
            table.Add(name, $"{times[count / 2]:N2}", $"{times[0]:N2}", $"{times[^1]:N2}", $"{cpuTimes[count / 2]:N2}");
            return times[count / 2];
        }

        async Task<(double Memory, double Cpu)> RestAsync(string name)
        {
            await broker.IsAtRestAsync(RestLimit);
            var (began, before) = (Stopwatch.GetTimestamp(), broker.CpuTime());
            await Task.Delay(TimeSpan.FromSeconds(options.Idle), TimeProvider.System);
            var used = 100 * (broker.CpuTime() - before).TotalSeconds / Stopwatch.GetElapsedTime(began).TotalSeconds;
            idle.Add(name, $"{broker.Memory():N0}", $"{broker.FileMemory():N0}", $"{used:N2}");
            return (broker.Memory(), used);
        }
    }

    /// <summary>Whether an exchange is answered with a secret; not while nobody listens, or nothing may be issued yet.</summary>
    private static async Task<bool> AnswersAsync(Uri address, byte[] request, CancellationToken cancellationToken)
    {
        try
        {
            using var connection = await HttpConnection.OpenAsync(address);
            return (await connection.SendAsync(request).AsTask().WaitAsync(cancellationToken)).IsSuccess;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
