using System.Diagnostics;
using System.Text;
using CredBroker.Benchmarks.Children;
using CredBroker.Core.Text;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// What the two durable commits of an exchange cost in the store alone, beside the bare floor's two; 32 callers wait at
/// a time.
/// </summary>
internal static class StoreSuite
{
    private const int Callers = 32;

    private static readonly byte[] LeaseRow = Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', 500)}}"}""");

    public static async Task RunAsync(BenchOptions options)
    {
        using (var directory = new BenchDirectory(options))
        {
            using var bare = new BareSqlite(Path.Combine(directory.Info.FullName, "bare.db"));
            using var store = SqliteBrokerStore.Open(
                new StorageOptions { SqliteFile = Path.Combine(directory.Info.FullName, "store", "broker.db") },
                TimeProvider.System,
                NullLogger<SqliteBrokerStore>.Instance
            );
            var pairs = new LeasePairs(store);
            await RunAsync(options, "SQLite synchronous=FULL", () => pairs.CommitAsync(), () => BareAsync(bare));
        }

        if (TestPostgres.FindPrograms() is null)
        {
            Report.PrintTitle("store: PostgreSQL is left out, there is no initdb");
            return;
        }

        foreach (var flushes in new[] { true, false })
        {
            using var directory = new BenchDirectory(options);
            await using var postgres = await BenchPostgres.StartAsync(directory, flushes);
            using var store = BenchPostgres.Open(await postgres.CreateSchemaAsync("store"));
            var pairs = new LeasePairs(store);
            await pairs.CommitAsync();
            using var bare = BareStore.Open(await postgres.StoreRowsAsync("floor", like: "store"));
            await RunAsync(
                options,
                $"PostgreSQL synchronous_commit=on fsync={(flushes ? "on" : "off")}",
                () => pairs.CommitAsync(),
                () => BareAsync(bare)
            );
        }
    }

    private static async Task RunAsync(BenchOptions options, string engine, Func<Task> store, Func<Task> bare)
    {
        Report.PrintTitle($"store: a lease opened and activated, {engine}, {Callers} callers");
        await RunAsync(store, options.Warmup / 2.0);
        await RunAsync(bare, options.Warmup / 2.0);
        var (real, floor) = (new List<Figures>(), new List<Figures>());
        for (var round = 0; round < options.Rounds; round++)
        {
            real.Add(await RunAsync(store, (double)options.Seconds / options.Rounds));
            floor.Add(await RunAsync(bare, (double)options.Seconds / options.Rounds));
        }

        var table = new Table("two commits", "per second", "CPU µs each", "KB allocated each", "÷ bare floor");
        Add("store", real);
        Add("bare floor", floor);
        table.Print();

        void Add(string name, List<Figures> figures)
        {
            var count = figures.Sum(figure => figure.Count);
            table.Add(
                name,
                $"{PerSecond(figures):N0}",
                $"{figures.Sum(figure => figure.Cpu.TotalMicroseconds) / count:N0}",
                $"{figures.Sum(figure => figure.Allocated) / 1024.0 / count:N1}",
                figures == floor ? "" : $"{PerSecond(figures) / PerSecond(floor):N2}"
            );
        }
    }

    private static double PerSecond(List<Figures> figures) =>
        figures.Sum(figure => figure.Count) / figures.Sum(figure => figure.Elapsed.TotalSeconds);

    private static async Task BareAsync(BareStore bare)
    {
        var id = Ids.New(TimeProvider.System);
        await bare.CommitAsync(new(id, "pending", LeaseRow, "a0123456789abcdef"), "request.allowed");
        await bare.CommitAsync(new(id, "active", LeaseRow, $"database/creds/cb-bench-reports/{id}"), "lease.issued");
    }

    private static async Task<Figures> RunAsync(Func<Task> pair, double seconds)
    {
        var (start, cpu, allocated) = (Stopwatch.GetTimestamp(), CpuTime(), GC.GetTotalAllocatedBytes());
        var end = start + (long)(seconds * Stopwatch.Frequency);
        var counts = await Task.WhenAll(
            Enumerable
                .Range(0, Callers)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        var count = 0;
                        for (; Stopwatch.GetTimestamp() < end; count++)
                        {
                            await pair();
                        }

                        return count;
                    })
                )
        );
        return new(
            counts.Sum(),
            Stopwatch.GetElapsedTime(start),
            CpuTime() - cpu,
            GC.GetTotalAllocatedBytes() - allocated
        );
    }

    private static TimeSpan CpuTime()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private readonly record struct Figures(int Count, TimeSpan Elapsed, TimeSpan Cpu, long Allocated);
}
