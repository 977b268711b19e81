namespace CredBroker.Benchmarks.Load;

/// <summary>
/// Measures contenders against each other in one run: each is warmed up, then they take turns in short rounds, the
/// order turned round each time, so that a disturbance of the machine meets all of them.
/// </summary>
internal static class Rounds
{
    public const int WarmOperations = 40_000;
    public const int MaxWarmTurns = 4;

    public static async Task<IReadOnlyList<IReadOnlyList<Measurement>>> RunAsync(
        IReadOnlyList<Contender> contenders,
        int concurrency,
        BenchOptions options
    )
    {
        var measured = contenders.Select(_ => new List<Measurement>()).ToList();
        var turn = TimeSpan.FromSeconds((double)options.Seconds / options.Rounds);
        for (var round = 0; round < options.Rounds; round++)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                var which = round % 2 == 0 ? i : contenders.Count - 1 - i;
                measured[which].Add(await LoadRun.RunAsync(contenders[which], concurrency, turn));
            }
        }

        return measured;
    }

    /// <summary>
    /// Long enough for the JIT's last tier, which counts calls: on a busy machine the time alone is not enough.
    /// </summary>
    public static async Task WarmUpAsync(IReadOnlyList<Contender> contenders, BenchOptions options)
    {
        foreach (var contender in contenders)
        {
            var (done, turns) = (0, 0);
            while (turns == 0 || (done < WarmOperations && turns < MaxWarmTurns))
            {
                done += (
                    await LoadRun.RunAsync(contender, options.Concurrency[0], TimeSpan.FromSeconds(options.Warmup))
                )
                    .Latencies
                    .Count;
                turns++;
            }
        }
    }

    /// <summary>The middle of the rounds' ratios of throughput, with the lowest and the highest.</summary>
    public static (double Median, double Low, double High) Ratio(
        IReadOnlyList<Measurement> of,
        IReadOnlyList<Measurement> to
    ) => Ratio(of, to, run => run.PerSecond);

    /// <summary>The same of another figure.</summary>
    public static (double Median, double Low, double High) Ratio(
        IReadOnlyList<Measurement> of,
        IReadOnlyList<Measurement> to,
        Func<Measurement, double> figure
    )
    {
        var ratios = of.Zip(to, (left, right) => figure(left) / figure(right)).Order().ToArray();
        var middle = ratios.Length / 2;
        return (
            ratios.Length % 2 == 1 ? ratios[middle] : (ratios[middle - 1] + ratios[middle]) / 2,
            ratios[0],
            ratios[^1]
        );
    }
}
