using CredBroker.Testing;

namespace CredBroker.FaultHarness.Faults;

/// <summary>Something that goes wrong and is put right again.</summary>
/// <param name="Name">As the table counts it.</param>
/// <param name="Happen">Does both; over once it is put right.</param>
internal sealed record Fault(string Name, Func<Dice, Task> Happen)
{
    public static readonly Fault[] None = [];

    /// <summary>Mostly a moment; now and then longer than every timeout of the broker.</summary>
    public static TimeSpan Long(Dice dice) => dice.Chance(0.6) ? dice.Between(0.2, 3) : dice.Between(3, 15);

    /// <summary>Not cut short by the end of the run: what is broken is always put right.</summary>
    public static Task LastAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
