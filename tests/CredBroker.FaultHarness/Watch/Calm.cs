namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// What is broken now, and for how long, at any time, enough was whole for a lease to be brought to its end: OpenBao, both
/// databases and what lies between them, and any one broker with its links. A dead broker is no excuse while another lives.
/// </summary>
internal sealed class Calm
{
    /// <summary>How long what was mended may take to do its work again: a broker starts, a breaker closes.</summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly List<(DateTimeOffset From, DateTimeOffset To)> _past = [];

    // The first is what all of them share, then each broker: how much of it is broken, and since when nothing is.
    private readonly (int Faults, DateTimeOffset Since)[] _things;

    public Calm(int brokers) => _things = [.. Enumerable.Repeat((0, Now), brokers + 1)];

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>Something is broken until the answer is disposed of.</summary>
    /// <param name="broker">The broker's number; null where it concerns all of them.</param>
    public IDisposable Break(int? broker)
    {
        Change(broker, +1);
        return new Broken(this, broker);
    }

    /// <summary>Whether the broker and all that it needs are whole.</summary>
    public bool IsWhole(int broker)
    {
        lock (_lock)
        {
            return _things[0].Faults == 0 && _things[broker + 1].Faults == 0;
        }
    }

    /// <summary>How much of this time was calm.</summary>
    public TimeSpan Between(DateTimeOffset from, DateTimeOffset to)
    {
        lock (_lock)
        {
            return _past
                .Append((From: Later(Began ?? DateTimeOffset.MaxValue, LastEnd), To: DateTimeOffset.MaxValue))
                .Select(calm => Earlier(calm.To, to) - Later(calm.From, from))
                .Where(shared => shared > TimeSpan.Zero)
                .Aggregate(TimeSpan.Zero, (sum, shared) => sum + shared);
        }
    }

    /// <summary>Since when it has been calm, or will have been if nothing else breaks; null where it is not.</summary>
    private DateTimeOffset? Began
    {
        get
        {
            var whole = _things.Skip(1).Where(broker => broker.Faults == 0).Select(broker => broker.Since).ToList();
            return _things[0].Faults > 0 || whole.Count == 0 ? null : Later(_things[0].Since, whole.Min()) + Recovery;
        }
    }

    private void Change(int? broker, int by)
    {
        lock (_lock)
        {
            var now = Now;
            if (Began is { } began && Later(began, LastEnd) < now)
            {
                _past.Add((Later(began, LastEnd), now));
            }

            ref var thing = ref _things[broker + 1 ?? 0];
            thing = (thing.Faults + by, now);
        }
    }

    private DateTimeOffset LastEnd => _past.Count == 0 ? DateTimeOffset.MinValue : _past[^1].To;

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private sealed class Broken(Calm calm, int? broker) : IDisposable
    {
        public void Dispose() => calm.Change(broker, -1);
    }
}
