using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Watch;

namespace CredBroker.FaultHarness;

/// <summary>The table of a run.</summary>
internal static class Report
{
    private const int Shown = 40;

    private static readonly string[] Groups =
    [
        "left out",
        "fault",
        "killed at",
        "failover",
        "anchor",
        "store accepted",
        "broker did not start",
        "exchange",
        "renewal",
        "release",
        "task close",
        "order",
        "order's progress",
        "order's end",
        "hold",
        "hold lifted",
        "stop",
        "policy",
        "clock",
        "watch",
    ];

    public static void Print(
        HarnessOptions options,
        Tally tally,
        IReadOnlyCollection<StoredLease> leases,
        Lateness lateness,
        StopProbe probe,
        Settling settling,
        IReadOnlyList<Violation> violations
    )
    {
        Console.WriteLine(
            $"""

            Fault harness: seed {options.Seed}, {options.Length.TotalSeconds:0} s of faults, {options.Agents} agents, {options.Stage}

            | what | which | times |
            |---|---|---|
            """
        );
        foreach (
            var (group, name, count) in Groups.SelectMany(group =>
                tally.Group(group).Select(one => (group, one.Name, one.Count))
            )
        )
        {
            Console.WriteLine($"| {group} | {name} | {count} |");
        }

        foreach (
            var states in leases.GroupBy(lease => lease.State).OrderBy(states => states.Key, StringComparer.Ordinal)
        )
        {
            Console.WriteLine($"| lease | {states.Key} | {states.Count()} |");
        }

        Console.WriteLine($"| lease | issued to an agent | {tally.Of("exchange", "answered")} |");
        Console.WriteLine($"| violation | | {violations.Count} |");
        Console.WriteLine();
        Console.WriteLine(
            settling.Took is { } took
                ? $"Everything had settled {took.TotalSeconds:0} s after the last fault."
                : $"Not everything had settled {options.Settle.TotalSeconds:0} s after the last fault."
        );
        Spread("From its due time to a lease's end, calm time alone", lateness.OfActive);
        Spread("The same, where its broker had been killed", lateness.OfDeadBrokers);
        Spread("The same, where its issuance had been cut short", lateness.OfUnfinished);
        Spread(
            "From an accepted hold, quarantine or end of a task to a broker's refusal, outside of faults",
            probe.Refused
        );
        foreach (var violation in violations.Take(Shown))
        {
            Console.WriteLine(
                $"VIOLATION {violation.Subject}: {violation.What} "
                    + $"[seen {violation.FirstSeen:HH:mm:ss.fff} to {violation.LastSeen:HH:mm:ss.fff}]"
            );
        }

        if (violations.Count > Shown)
        {
            Console.WriteLine($"… and {violations.Count - Shown} more.");
        }
    }

    private static void Spread(string what, IReadOnlyList<TimeSpan> times)
    {
        if (times.Count > 0)
        {
            Console.WriteLine(
                $"{what}: p50 {At(0.5)}, p95 {At(0.95)}, p99 {At(0.99)}, at most {At(1)} ms ({times.Count} times)."
            );
        }

        string At(double part) => $"{times[(int)Math.Ceiling(part * times.Count) - 1].TotalMilliseconds:0}";
    }
}
