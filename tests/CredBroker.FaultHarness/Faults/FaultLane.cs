using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;

namespace CredBroker.FaultHarness.Faults;

/// <summary>
/// One thing after the other goes wrong and is put right again, with a little calm between. Two lanes run at once, one
/// for the processes and one for the links, so that faults meet.
/// </summary>
internal sealed class FaultLane(Tally tally, Dice dice, IReadOnlyList<Fault> faults)
{
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Pause.ForAsync(dice.Between(1, 8), stop);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            var fault = dice.Of(faults);
            tally.Add("fault", fault.Name);
            Log.Line($"fault: {fault.Name}");
            await fault.Happen(dice);
        }
    }

    /// <summary>Kills, pauses, seals and stops, a full disk and a wrong clock.</summary>
    public static FaultLane OfProcesses(Arena arena, Tally tally, Dice dice) =>
        new(
            tally,
            dice,
            [
                .. new BrokerFaults(arena, tally).All,
                .. ServerFaults.Of(arena),
                .. arena.Store is PostgresStore store ? StoreFaults.Of(arena, tally, store) : Fault.None,
            ]
        );

    /// <summary>What a network does, on the way to OpenBao, on OpenBao's way to its database, and to the store.</summary>
    public static FaultLane OfLinks(Arena arena, Tally tally, Dice dice) => new(tally, dice, LinkFaults.Of(arena));
}
