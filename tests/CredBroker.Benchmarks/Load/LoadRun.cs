using System.Diagnostics;

namespace CredBroker.Benchmarks.Load;

/// <summary>Keeps a number of operations under way on as many kept connections, until the time is over or enough are done.</summary>
internal static class LoadRun
{
    public static Task<Measurement> RunAsync(Contender contender, int concurrency, TimeSpan duration)
    {
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        return RunAsync(contender, concurrency, () => Stopwatch.GetTimestamp() < end);
    }

    /// <summary>The same, until so many operations were begun.</summary>
    public static Task<Measurement> RunAsync(Contender contender, int concurrency, int operations) =>
        RunAsync(contender, concurrency, () => Interlocked.Decrement(ref operations) >= 0);

    private static async Task<Measurement> RunAsync(Contender contender, int concurrency, Func<bool> goesOn)
    {
        var connections = new List<HttpConnection>(concurrency);
        try
        {
            for (var i = 0; i < concurrency; i++)
            {
                connections.Add(await HttpConnection.OpenAsync(contender.Addresses[i % contender.Addresses.Count]));
            }

            var before = contender.CpuTimes();
            var start = Stopwatch.GetTimestamp();
            var workers = connections.ConvertAll(connection =>
                Task.Run(() => WorkAsync(contender, connection, goesOn))
            );
            var latencies = await Task.WhenAll(workers);
            var elapsed = Stopwatch.GetElapsedTime(start);
            return new Measurement(
                [.. latencies.SelectMany(worker => worker)],
                elapsed,
                [.. contender.CpuTimes().Zip(before, (after, then) => after - then)]
            );
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    private static async Task<List<long>> WorkAsync(Contender contender, HttpConnection connection, Func<bool> goesOn)
    {
        var latencies = new List<long>(16 * 1024);
        while (goesOn())
        {
            var before = Stopwatch.GetTimestamp();
            var answer = await contender.Operation(connection, contender.NextIndex());
            latencies.Add(Stopwatch.GetTimestamp() - before);
            if (!answer.IsSuccess)
            {
                throw new InvalidOperationException($"{contender.Name} answered {answer}");
            }
        }

        return latencies;
    }
}
