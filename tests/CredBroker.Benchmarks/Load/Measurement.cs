using System.Diagnostics;

namespace CredBroker.Benchmarks.Load;

/// <summary>What a run came to.</summary>
/// <param name="Latencies">Each operation's duration in stopwatch ticks.</param>
/// <param name="Elapsed">The wall time of the run.</param>
/// <param name="Cpu">CPU time of each charged process.</param>
internal sealed record Measurement(IReadOnlyList<long> Latencies, TimeSpan Elapsed, IReadOnlyList<TimeSpan> Cpu)
{
    public double PerSecond => Latencies.Count / Elapsed.TotalSeconds;

    /// <summary>CPU time for each operation, in microseconds: one figure per charged process.</summary>
    public IEnumerable<double> CpuMicrosecondsEach =>
        Cpu.Select(cpu => cpu.TotalMicroseconds / Math.Max(1, Latencies.Count));

    /// <summary>All processes' together.</summary>
    public double AllCpuMicrosecondsEach => CpuMicrosecondsEach.Sum();

    /// <summary>Several runs as one.</summary>
    public static Measurement Sum(IReadOnlyCollection<Measurement> runs) =>
        new(
            [.. runs.SelectMany(run => run.Latencies)],
            new TimeSpan(runs.Sum(run => run.Elapsed.Ticks)),
            [
                .. runs.SelectMany(run => run.Cpu.Index())
                    .GroupBy(cpu => cpu.Index)
                    .Select(process => new TimeSpan(process.Sum(cpu => cpu.Item.Ticks))),
            ]
        );

    /// <summary>The latency that this part of all operations did not exceed.</summary>
    public TimeSpan Quantile(double part)
    {
        var sorted = Latencies.Order().ToArray();
        return sorted.Length == 0
            ? TimeSpan.Zero
            : Stopwatch.GetElapsedTime(0, sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))]);
    }
}
