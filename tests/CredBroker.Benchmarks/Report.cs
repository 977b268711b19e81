using System.Runtime.InteropServices;
using CredBroker.Benchmarks.Load;

namespace CredBroker.Benchmarks;

/// <summary>What the suites print.</summary>
internal static class Report
{
    public static void PrintMachine(BenchOptions options)
    {
        var load = File.Exists("/proc/loadavg")
            ? $", load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]} before"
            : "";
        Console.WriteLine(
            $"{TimeProvider.System.GetUtcNow():d MMMM yyyy HH:mm} UTC; {RuntimeInformation.FrameworkDescription}, "
                + $"{RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} cores, "
                + $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB{load}; "
                + $"{options.Seconds} s each in {options.Rounds} rounds, contenders in turn, after a warm-up of "
                + $"{options.Warmup} s or, until {Rounds.WarmOperations:N0} operations, up to "
                + $"{Rounds.MaxWarmTurns * options.Warmup} s"
        );
    }

    /// <summary>A ratio beside what it should be, and beside what its lowest and its highest round came to.</summary>
    public static void PrintGoal(
        string what,
        double figure,
        string relation,
        double goal,
        string unit = "",
        (double Low, double High)? rounds = null
    )
    {
        var spread = rounds is { } range ? $" (rounds {range.Low:N2}–{range.High:N2})" : "";
        var isMet = relation == "≥" ? figure >= goal : figure <= goal;
        Console.WriteLine(
            $"  {what}: {figure:N2}{unit}{spread}, goal {relation} {goal:N2}{unit}: {(isMet ? "met" : "MISSED")}"
        );
    }

    public static void PrintTitle(string title)
    {
        Console.WriteLine();
        Console.WriteLine(title);
    }

    /// <summary>Each contender's figures over all rounds, and the ratio of each to the last.</summary>
    public static void PrintContenders(
        IReadOnlyList<Contender> contenders,
        IReadOnlyList<IReadOnlyList<Measurement>> rounds,
        int concurrency
    )
    {
        var table = new Table(
            $"{concurrency} concurrent",
            "per second",
            "p50 ms",
            "p99 ms",
            "CPU µs each",
            $"÷ {contenders[^1].Name}",
            "(lowest–highest round)"
        );
        for (var i = 0; i < contenders.Count; i++)
        {
            var sum = Measurement.Sum(rounds[i]);
            var (median, low, high) = Rounds.Ratio(rounds[i], rounds[^1]);
            var isFloor = i == contenders.Count - 1;
            table.Add(
                contenders[i].Name,
                $"{sum.PerSecond:N0}",
                $"{sum.Quantile(0.5).TotalMilliseconds:N1}",
                $"{sum.Quantile(0.99).TotalMilliseconds:N1}",
                string.Join(" + ", sum.CpuMicrosecondsEach.Select(cpu => $"{cpu:N0}")),
                isFloor ? "" : $"{median:N2}",
                isFloor ? "" : $"({low:N2}–{high:N2})"
            );
        }

        table.Print();
    }
}
