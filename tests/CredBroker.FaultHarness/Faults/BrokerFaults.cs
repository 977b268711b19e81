using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;

namespace CredBroker.FaultHarness.Faults;

/// <summary>What happens to a broker: one of them at a time, but for what another lane does.</summary>
internal sealed class BrokerFaults(Arena arena, Tally tally)
{
    /// <summary>Within what is believed at once and beyond it, forward and back.</summary>
    private static readonly (string Name, TimeSpan Off)[] Jumps =
    [
        ("45 s ahead", TimeSpan.FromSeconds(45)),
        ("2 h ahead", TimeSpan.FromHours(2)),
        ("10 min behind", TimeSpan.FromMinutes(-10)),
    ];

    /// <summary>Between every two steps of an exchange and of a revocation.</summary>
    private static readonly string[] Failpoints =
    [
        "exchange-decided",
        "exchange-prepared",
        "exchange-opened",
        "exchange-minted",
        "exchange-activated",
        "revocation-claimed",
        "revocation-at-vault",
        "revocation-settled",
    ];

    private static readonly TimeSpan UntilFailpoint = TimeSpan.FromSeconds(10);

    /// <summary>Death stands here more than once: it is the worst.</summary>
    public IReadOnlyList<Fault> All =>
        [
            .. arena.Store is SqliteStore { Disk: { } disk }
                ?
                [
                    new(
                        "the store's disk full",
                        async dice =>
                        {
                            var broker = arena.Any(dice);
                            using var broken = arena.Calm.Break(null);
                            await disk.FillAsync();
                            var lasting = Fault.LastAsync(Fault.Long(dice));
                            var meanwhile = MeanwhileAsync(broker, dice);
                            await lasting;
                            disk.Free();
                            await meanwhile;
                        }
                    ),
                ]
                : Fault.None,
            .. arena.Brokers[0].Clock is not null
                ? Jumps.Select(jump => new Fault($"a broker's clock {jump.Name}", dice => JumpAsync(jump.Off, dice)))
                : Fault.None,
            .. Enumerable.Repeat(
                new Fault("a broker killed", dice => KillAsync(arena.Any(dice), dice.Between(0, 3))),
                3
            ),
            new("a broker paused", dice => PauseAsync(Fault.Long(dice), dice)),
            .. arena.Brokers.Count > 1
                ?
                [
                    new(
                        "a broker paused for longer than its claims live",
                        dice => PauseAsync(dice.Between(11, 18), dice)
                    ),
                    new(
                        "a broker killed for longer than its claims live",
                        dice => KillAsync(arena.Any(dice), dice.Between(11, 25))
                    ),
                    .. Enumerable.Repeat(new Fault("a broker killed at a failpoint", KillAtFailpointAsync), 2),
                ]
                : Fault.None,
        ];

    private async Task PauseAsync(TimeSpan time, Dice dice)
    {
        var broker = arena.Any(dice);
        using var broken = arena.Calm.Break(broker.Number);
        await broker.SignalAsync("STOP");
        await Fault.LastAsync(time);
        await broker.SignalAsync("CONT");
    }

    private async Task JumpAsync(TimeSpan off, Dice dice)
    {
        var broker = arena.Any(dice);
        using var broken = arena.Calm.Break(broker.Number);
        broker.Clock!.Set(off);
        var lasting = Fault.LastAsync(Fault.Long(dice));
        await MeanwhileAsync(broker, dice);
        await lasting;
        broker.Clock.Set(TimeSpan.Zero);

        // Seen by the broker within a second. On PostgreSQL time is the database's, and nobody's clock was wrong but one's.
        await Fault.LastAsync(TimeSpan.FromSeconds(2));
        if (arena.Store is SqliteStore)
        {
            await Admin.RepairClockAsync(arena, tally);
        }
    }

    // Now and then the broker dies of it, or beside it.
    private Task MeanwhileAsync(ArenaBroker broker, Dice dice) =>
        dice.Chance(0.3) ? KillAsync(broker, dice.Between(0, 3)) : Task.CompletedTask;

    private async Task KillAsync(ArenaBroker broker, TimeSpan dead)
    {
        using var broken = arena.Calm.Break(broker.Number);
        await broker.KillAsync();
        await Fault.LastAsync(dead);
        await StartAsync(broker);
    }

    /// <summary>It comes to a point between two steps, stands there for a while, and is killed.</summary>
    private async Task KillAtFailpointAsync(Dice dice)
    {
        var (broker, failpoint) = (arena.Any(dice), dice.Of(Failpoints));
        using var broken = arena.Calm.Break(broker.Number);
        await broker.KillAsync();
        await StartAsync(broker, failpoint);
        var started = TimeProvider.System.GetTimestamp();
        while (!broker.IsAt(failpoint) && TimeProvider.System.GetElapsedTime(started) < UntilFailpoint)
        {
            await Fault.LastAsync(TimeSpan.FromMilliseconds(50));
        }

        tally.Add("killed at", broker.IsAt(failpoint) ? failpoint : "none: it did not get there in time");
        await KillAsync(broker, dice.Between(0, 3));
    }

    private Task StartAsync(ArenaBroker broker, string? failpoint = null) =>
        broker.StartAsync(
            why =>
            {
                tally.Add("broker did not start", "again a second later");
                Log.Line(why);
            },
            failpoint
        );
}
