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
        "broker did not start",
        "exchange",
        "renewal",
        "release",
        "task close",
        "order",
        "order's progress",
        "order's end",
        "policy",
        "clock",
        "watch",
    ];

    public static void Print(
        HarnessOptions options,
        Tally tally,
        IReadOnlyCollection<StoredLease> leases,
        Settling settling,
        IReadOnlyList<Violation> violations
    )
    {
        Console.WriteLine(
            $"""

            Fault harness: seed {options.Seed}, {options.Length.TotalSeconds:0} s of faults, {options.Agents} agents

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
}
