using System.Diagnostics;

namespace CredBroker.Benchmarks.Load;

/// <summary>Keeps a number of operations under way on as many kept connections, until the time is over.</summary>
internal static class LoadRun
{
    public static async Task<Measurement> RunAsync(Contender contender, int concurrency, TimeSpan duration)
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
            var end = start + (long)(duration.TotalSeconds * Stopwatch.Frequency);
            var workers = connections.ConvertAll(connection => Task.Run(() => WorkAsync(contender, connection, end)));
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

    private static async Task<List<long>> WorkAsync(Contender contender, HttpConnection connection, long end)
    {
        var latencies = new List<long>(16 * 1024);
        for (var before = Stopwatch.GetTimestamp(); before < end; )
        {
            var answer = await contender.Operation(connection, contender.NextIndex());
            var after = Stopwatch.GetTimestamp();
            if (!answer.IsSuccess)
            {
                throw new InvalidOperationException($"{contender.Name} answered {answer}");
            }

            latencies.Add(after - before);
            before = after;
        }

        return latencies;
    }
}
