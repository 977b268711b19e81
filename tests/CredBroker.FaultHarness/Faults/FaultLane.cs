using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;
using CredBroker.Testing.Servers;

namespace CredBroker.FaultHarness.Faults;

/// <summary>
/// One thing after the other goes wrong and is put right again, with a little calm between. Two lanes run at once, one
/// for the processes and one for the links, so that faults meet.
/// </summary>
internal sealed class FaultLane(Tally tally, Dice dice, IReadOnlyList<(string Name, Func<Dice, Task> Happen)> faults)
{
    private static readonly (string Name, Func<Dice, Task> Happen)[] NoFaults = [];

    /// <summary>Within what is believed at once and beyond it, forward and back.</summary>
    private static readonly (string Name, TimeSpan Off)[] Jumps =
    [
        ("45 s ahead", TimeSpan.FromSeconds(45)),
        ("2 h ahead", TimeSpan.FromHours(2)),
        ("10 min behind", TimeSpan.FromMinutes(-10)),
    ];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Pause.ForAsync(dice.Between(1, 8), stop);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            var (name, happen) = dice.Of(faults);
            tally.Add("fault", name);
            Log.Line($"fault: {name}");
            await happen(dice);
        }
    }

    /// <summary>
    /// Kills, pauses, seals and stops, a full disk and a wrong clock. The broker's death stands here more than once: it
    /// is the worst.
    /// </summary>
    public static FaultLane OfProcesses(Arena arena, Tally tally, Dice dice)
    {
        return new(
            tally,
            dice,
            [
                .. arena.Disk is { } disk ? [("the store's disk full", dice => FillAsync(disk, dice))] : NoFaults,
                .. arena.Clock is { } clock
                    ? Jumps.Select(jump =>
                        (
                            $"the broker's clock {jump.Name}",
                            (Func<Dice, Task>)(dice => JumpAsync(clock, jump.Off, dice))
                        )
                    )
                    : NoFaults,
                ("broker killed", KillBrokerAsync),
                ("broker killed", KillBrokerAsync),
                ("broker killed", KillBrokerAsync),
                (
                    "broker paused",
                    async dice =>
                    {
                        await arena.Broker.SignalAsync("STOP");
                        await LastAsync(Long(dice));
                        await arena.Broker.SignalAsync("CONT");
                    }
                ),
                (
                    "OpenBao killed",
                    async dice =>
                    {
                        await arena.Vault.KillAsync();
                        await LastAsync(dice.Between(0, 5));
                        await arena.Vault.RestartAsync();
                    }
                ),
                (
                    "OpenBao paused",
                    async dice =>
                    {
                        await arena.Vault.SignalAsync("STOP");
                        await LastAsync(Long(dice));
                        await arena.Vault.SignalAsync("CONT");
                    }
                ),
                (
                    "OpenBao sealed",
                    async dice =>
                    {
                        await arena.Vault.SealAsync();
                        await LastAsync(dice.Between(1, 8));
                        await arena.Vault.UnsealAsync();
                    }
                ),
                (
                    "PostgreSQL stopped",
                    async dice =>
                    {
                        await arena.Postgres.StopAsync();
                        await LastAsync(dice.Between(1, 10));
                        await arena.Postgres.StartAgainAsync();
                    }
                ),
            ]
        );

        async Task FillAsync(SmallDisk disk, Dice dice)
        {
            await disk.FillAsync();
            var lasting = LastAsync(Long(dice));
            var meanwhile = MeanwhileAsync(dice);
            await lasting;
            disk.Free();
            await meanwhile;
        }

        async Task JumpAsync(WrongClock clock, TimeSpan off, Dice dice)
        {
            clock.Set(off);
            var lasting = LastAsync(Long(dice));
            await MeanwhileAsync(dice);
            await lasting;
            clock.Set(TimeSpan.Zero);

            // Seen by the broker within a second.
            await LastAsync(TimeSpan.FromSeconds(2));
            await Admin.RepairClockAsync(arena, tally);
        }

        // Now and then the broker dies of it, or beside it.
        Task MeanwhileAsync(Dice dice) => dice.Chance(0.3) ? KillBrokerAsync(dice) : Task.CompletedTask;

        async Task KillBrokerAsync(Dice dice)
        {
            await arena.KillBrokerAsync();
            await LastAsync(dice.Between(0, 3));
            await arena.StartBrokerAsync(why =>
            {
                tally.Add("broker did not start", "again a second later");
                Log.Line($"the broker did not start: {why}");
            });
        }
    }

    /// <summary>What a network does, on the way to OpenBao and on OpenBao's way to its database.</summary>
    public static FaultLane OfLinks(Arena arena, Tally tally, Dice dice) =>
        new(
            tally,
            dice,
            [
                .. from link in new[]
                {
                    ("broker–OpenBao", arena.VaultLink),
                    ("OpenBao–PostgreSQL", arena.DatabaseLink),
                }
                from fault in new[]
                {
                    (LinkFault.DropReplies, "replies dropped"),
                    (LinkFault.HoldReplies, "replies held"),
                    (LinkFault.BlackHole, "black-holed"),
                    (LinkFault.Slow, "slow"),
                    (LinkFault.Cut, "cut"),
                }
                select (
                    $"{link.Item1} {fault.Item2}",
                    (Func<Dice, Task>)(dice => HappenAsync(link.Item2, fault.Item1, dice))
                ),
            ]
        );

    private static async Task HappenAsync(ChaosProxy link, LinkFault fault, Dice dice)
    {
        link.Set(fault);
        await LastAsync(Long(dice));
        link.Set(LinkFault.None);
    }

    /// <summary>Mostly a moment; now and then longer than every timeout of the broker.</summary>
    private static TimeSpan Long(Dice dice) => dice.Chance(0.6) ? dice.Between(0.2, 3) : dice.Between(3, 15);

    /// <summary>Not cut short by the end of the run: what is broken is always put right.</summary>
    private static Task LastAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
