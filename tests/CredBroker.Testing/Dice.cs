namespace CredBroker.Testing;

/// <summary>
/// Choices that a seed repeats, on every platform and version: SplitMix64. It decides nothing about security.
/// </summary>
public sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    /// <summary>Dice of its own for one of many, so that none changes what another throws.</summary>
    public Dice For(int number) => new(_state ^ ((ulong)(number + 1) * 0xD1B54A32D192ED03));

    /// <summary>True as often as this.</summary>
    public bool Chance(double probability) => Fraction() < probability;

    /// <summary>One of these.</summary>
    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>A number from 0, below this.</summary>
    public int Below(int count) => (int)(Fraction() * count);

    /// <summary>At least one of these, in any order.</summary>
    public T[] Some<T>(IReadOnlyList<T> choices)
    {
        var left = choices.ToList();
        var some = new T[1 + Below(left.Count)];
        for (var index = 0; index < some.Length; index++)
        {
            var at = Below(left.Count);
            (some[index], left[at]) = (left[at], left[^1]);
            left.RemoveAt(left.Count - 1);
        }

        return some;
    }

    /// <summary>A time between these.</summary>
    public TimeSpan Between(double lowSeconds, double highSeconds) =>
        TimeSpan.FromSeconds(lowSeconds + Fraction() * (highSeconds - lowSeconds));

    /// <summary>The same in whole seconds.</summary>
    public TimeSpan Seconds(int low, int high) => TimeSpan.FromSeconds(Math.Round(Between(low, high).TotalSeconds));

    private double Fraction()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
