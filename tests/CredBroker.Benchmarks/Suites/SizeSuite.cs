using System.Diagnostics;
using System.Globalization;
using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;
using CredBroker.Testing.Servers;
using Npgsql;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 5: what a long history costs, on SQLite and on PostgreSQL: a broker whose store holds a year of past leases
/// beside one whose store was made just now, in turn.
/// </summary>
internal static class SizeSuite
{
    private const int ShortTtlSeconds = 10;
    private const int Connections = 4;
    private const int Calls = 20;
    private const int Tokens = 1_000;
    private static readonly TimeSpan ExportFor = TimeSpan.FromSeconds(8);

    public static async Task RunAsync(BenchOptions options)
    {
        if (options.Events < options.Past)
        {
            Console.WriteLine(
                $"  --events {options.Events:N0} is taken for {options.Past:N0}: each past lease has a record at least"
            );
        }

        using var agents = new Agents();
        if (options.Engine is "" or "sqlite")
        {
            await OnSqliteAsync(agents, options);
        }

        if (options.Engine is "" or "postgres" && TestPostgres.FindPrograms() is null)
        {
            Report.PrintTitle("size: PostgreSQL is left out, there is no initdb");
        }
        else if (options.Engine is "" or "postgres")
        {
            await OnPostgresAsync(agents, options);
        }
    }

    private static async Task OnSqliteAsync(Agents agents, BenchOptions options)
    {
        using var directory = new BenchDirectory(options);
        await using var vault = await Child.StartOwnAsync("vault-stub");
        var past = directory.Info.CreateSubdirectory("past");
        await using (var first = await StartAsync("first", past))
        {
            await LeaveTemplateAsync(first, agents);
        }

        var file = RealBroker.Database(past);
        var seconds = await WriteAsync(new PastOnSqlite(file), options);
        PrintTitle("SQLite synchronous=FULL", seconds, options);
        var size = new FileInfo(file).Length;
        Console.WriteLine($"  {size / 1e6:N0} MB, {(double)size / options.Past:N0} bytes a lease");

        await using var full = await StartAsync("long history", past);
        await using var empty = await StartAsync("empty", directory.Info.CreateSubdirectory("empty"));
        var contenders = new[] { full, empty }
            .Select(broker => broker.Asking(ExchangeRequests.Of(agents.Mint(Tokens), "reports")))
            .ToArray();
        await Rounds.WarmUpAsync(contenders, options);
        foreach (var concurrency in options.Concurrency.Prepend(1))
        {
            var rounds = await Rounds.RunAsync(contenders, concurrency, options);
            Report.PrintContenders(contenders, rounds, concurrency);
            PrintGoals(rounds[0], rounds[1], concurrency);
        }

        await CompareAsync([full, empty], agents, options);

        Task<FullBroker> StartAsync(string name, DirectoryInfo place) =>
            FullBroker.StartOnSqliteAsync(name, place, agents, vault.Address, "hvs.own");
    }

    private static async Task OnPostgresAsync(Agents agents, BenchOptions options)
    {
        using var directory = new BenchDirectory(options);
        await using var vault = await Child.StartOwnAsync("vault-stub");
        await using var postgres = await BenchPostgres.StartAsync(directory, flushes: true);
        var past = await postgres.CreateSchemaAsync("past");
        await using (var first = await FullBroker.StartAsync("first", past, directory.Info, agents, vault.Address))
        {
            await LeaveTemplateAsync(first, agents);
        }

        var seconds = await WriteAsync(new PastOnPostgres(postgres, "past"), options);
        PrintTitle("PostgreSQL with synchronous_commit=on fsync=on", seconds, options);
        await PrintTablesAsync(postgres, options.Past);

        await using var full = await FullBroker.StartAsync("long history", past, directory.Info, agents, vault.Address);
        await using var empty = await FullBroker.StartAsync(
            "empty",
            await postgres.CreateSchemaAsync("empty"),
            directory.Info,
            agents,
            vault.Address
        );
        await ExchangeAsync(
            postgres,
            [(full, "past"), (empty, "empty")],
            ExchangeRequests.Of(agents.Mint(Tokens), "reports"),
            options
        );
        await CompareAsync([full, empty], agents, options);
    }

    /// <summary>What a history is copied from.</summary>
    private static async Task LeaveTemplateAsync(FullBroker broker, Agents agents)
    {
        var asked = await LoadRun.RunAsync(broker.Asking(Brief(agents)), 1, TimeSpan.FromSeconds(1));
        await broker.DrainAsync(asked.Latencies.Count);
    }

    private static byte[][] Brief(Agents agents) =>
        ExchangeRequests.Of(agents.Mint(Tokens), "reports", $",\"ttl\":\"{ShortTtlSeconds}s\"");

    private static async Task<double> WriteAsync(PastLeases past, BenchOptions options)
    {
        var start = Stopwatch.GetTimestamp();
        await past.WriteAsync(options.Past, RecordsEach(options));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static long RecordsEach(BenchOptions options) => Math.Max(1, options.Events / options.Past);

    private static void PrintTitle(string engine, double seconds, BenchOptions options) =>
        Report.PrintTitle(
            $"size: {options.Past:N0} past leases with {RecordsEach(options)} audit records each beside an empty store, "
                + $"{engine} (history written in {seconds:N0} s)"
        );

    private static void PrintGoals(IReadOnlyList<Measurement> full, IReadOnlyList<Measurement> empty, int concurrency)
    {
        var latency = Measurement.Sum([.. full]).Quantile(0.5) / Measurement.Sum([.. empty]).Quantile(0.5);
        Report.PrintGoal($"{concurrency} concurrent, throughput ÷ empty", Rounds.Ratio(full, empty).Median, "≥", 0.9);
        Report.PrintGoal($"{concurrency} concurrent, p50 latency ÷ empty", latency, "≤", 1.1);
    }

    private static async Task CompareAsync(FullBroker[] brokers, Agents agents, BenchOptions options)
    {
        var admin = agents.MintAdmin();
        await ListAsync(brokers, admin);
        await ExportAsync(brokers[0], admin);
        await SweepAsync(brokers, Brief(agents), options);
    }

    /// <summary>What the tables and indexes take, for each lease.</summary>
    private static async Task PrintTablesAsync(BenchPostgres postgres, long leases)
    {
        var table = new Table("table or index", "MB", "bytes a lease");
        await using var connection = await postgres.ConnectAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT CASE WHEN i.indexrelid IS NULL THEN '' ELSE '  ' END || c.relname,
              CASE WHEN i.indexrelid IS NULL THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'past'
            LEFT JOIN pg_index i ON i.indexrelid = c.oid
            LEFT JOIN pg_class t ON t.oid = i.indrelid
            WHERE c.relkind IN ('r', 'i') AND pg_relation_size(c.oid) > 1000000
            ORDER BY coalesce(t.relname, c.relname), i.indexrelid IS NOT NULL, 2 DESC
            """,
            connection
        );
        await using var row = await command.ExecuteReaderAsync();
        var sum = 0L;
        while (await row.ReadAsync())
        {
            sum += row.GetInt64(1);
            table.Add(row.GetString(0), $"{row.GetInt64(1) / 1e6:N0}", $"{(double)row.GetInt64(1) / leases:N0}");
        }

        table.Add("all", $"{sum / 1e6:N0}", $"{(double)sum / leases:N0}");
        table.Print();
    }

    private static async Task ExchangeAsync(
        BenchPostgres postgres,
        (FullBroker Broker, string Schema)[] brokers,
        byte[][] requests,
        BenchOptions options
    )
    {
        var contenders = brokers.Select(one => one.Broker.Asking(requests)).ToArray();
        await Rounds.WarmUpAsync(contenders, options);
        var table = new Table(
            "exchange",
            "concurrent",
            "per second",
            "p50 ms",
            "p99 ms",
            "batches/s",
            "changes a batch",
            "WAL bytes each",
            "of it page images",
            "÷ empty",
            "(lowest–highest round)"
        );
        var goals = new List<Action>();
        foreach (var concurrency in options.Concurrency.Prepend(1))
        {
            var runs = contenders.Select(_ => new List<Measurement>()).ToArray();
            var written = contenders.Select(_ => default(Written)).ToArray();
            for (var round = 0; round < options.Rounds; round++)
            {
                foreach (var i in Enumerable.Range(0, 2).Select(i => round % 2 == 0 ? i : 1 - i))
                {
                    var before = await ReadAsync(postgres, brokers[i].Schema);
                    runs[i]
                        .Add(
                            await LoadRun.RunAsync(
                                contenders[i],
                                concurrency,
                                TimeSpan.FromSeconds((double)options.Seconds / options.Rounds)
                            )
                        );
                    written[i] += await ReadAsync(postgres, brokers[i].Schema) - before;
                }
            }

            var (median, low, high) = Rounds.Ratio(runs[0], runs[1]);
            goals.Add(() => PrintGoals(runs[0], runs[1], concurrency));
            for (var i = 0; i < contenders.Length; i++)
            {
                var run = Measurement.Sum(runs[i]);
                var count = (double)run.Latencies.Count;
                table.Add(
                    contenders[i].Name,
                    $"{concurrency}",
                    $"{run.PerSecond:N0}",
                    $"{run.Quantile(0.5).TotalMilliseconds:N1}",
                    $"{run.Quantile(0.99).TotalMilliseconds:N1}",
                    $"{written[i].Batches / run.Elapsed.TotalSeconds:N0}",
                    $"{2 * count / written[i].Batches:N1}",
                    $"{written[i].Wal / count:N0}",
                    $"{100.0 * written[i].Images * 8192 / written[i].Wal:N0} % at most",
                    i == 0 ? $"{median:N2}" : "",
                    i == 0 ? $"({low:N2}–{high:N2})" : ""
                );
            }
        }

        table.Print();
        goals.ForEach(goal => goal());
    }

    private static async Task ListAsync(FullBroker[] brokers, string admin)
    {
        var table = new Table("a page of 100 leases, ms p50 (longest)", "long history", "empty");
        foreach (
            var (name, query) in new[]
            {
                ("the newest", ""),
                ("that are live", "&state=active"),
                ("of an instance, newest first", "&instance=worker-7"),
                ("of an old task", "&task=past-5"),
                ("of an instance that has none", "&instance=nobody"),
            }
        )
        {
            var row = new List<string> { name };
            foreach (var broker in brokers)
            {
                using var http = Client(broker, admin);
                var times = new List<TimeSpan>();
                for (var i = 0; i < Calls; i++)
                {
                    var start = Stopwatch.GetTimestamp();
                    using var answer = await http.GetAsync($"/v1/leases?limit=100{query}");
                    answer.EnsureSuccessStatusCode();
                    times.Add(Stopwatch.GetElapsedTime(start));
                }

                times.Sort();
                row.Add($"{times[Calls / 2].TotalMilliseconds:N1} ({times[^1].TotalMilliseconds:N0})");
            }

            table.Add([.. row]);
        }

        table.Print();
    }

    private static async Task ExportAsync(FullBroker broker, string admin)
    {
        using var http = Client(broker, admin);
        using var answer = await http.GetAsync("/v1/audit/export", HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync();
        var (start, bytes, buffer) = (Stopwatch.GetTimestamp(), 0L, new byte[64 * 1024]);
        for (int read; Stopwatch.GetElapsedTime(start) < ExportFor && (read = await body.ReadAsync(buffer)) > 0; )
        {
            bytes += read;
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  export: {bytes / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds:N1} MB/s, of the first {bytes / 1e6:N0} MB"
            )
        );
    }

    private static async Task SweepAsync(FullBroker[] brokers, byte[][] brief, BenchOptions options)
    {
        var table = new Table("expiry", "exchanges/s meanwhile", "revoked", "lag p50 ms", "lag p99 ms", "longest ms");
        foreach (var broker in brokers)
        {
            var before = (await broker.DrainAsync(0)).Count;
            var run = await LoadRun.RunAsync(
                broker.Asking(brief),
                Connections,
                TimeSpan.FromSeconds(ShortTtlSeconds + (options.Seconds / 2))
            );
            var lags = await broker.DrainAsync(before + run.Latencies.Count);
            table.Add(
                broker.Name,
                $"{run.PerSecond:N0}",
                $"{run.Latencies.Count:N0}",
                $"{lags[lags.Count / 2]:N0}",
                $"{lags[(int)(lags.Count * 0.99)]:N0}",
                $"{lags[^1]:N0}"
            );
        }

        table.Print();
    }

    private static HttpClient Client(FullBroker broker, string admin)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = broker.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", admin);
        return http;
    }

    private static async Task<Written> ReadAsync(BenchPostgres postgres, string schema) =>
        new(
            await postgres.NumberAsync("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"),
            await postgres.NumberAsync("SELECT wal_fpi FROM pg_stat_wal"),
            await postgres.NumberAsync($"SELECT coalesce(sum(batch), 0) FROM {schema}.writer")
        );

    /// <summary>What was written so far: bytes of WAL, page images in it, batches that a broker committed.</summary>
    private readonly record struct Written(long Wal, long Images, long Batches)
    {
        public static Written operator +(Written left, Written right) =>
            new(left.Wal + right.Wal, left.Images + right.Images, left.Batches + right.Batches);

        public static Written operator -(Written left, Written right) =>
            new(left.Wal - right.Wal, left.Images - right.Images, left.Batches - right.Batches);
    }
}
