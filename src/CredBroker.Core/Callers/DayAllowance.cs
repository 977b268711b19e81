namespace CredBroker.Core.Callers;

/// <summary>
/// How much one caller may leave in the store within a day, whatever it may within a minute: what it spent comes back
/// evenly, all of it in a day. So it never fills more than twice as much in any day, and is never kept out for all of one.
/// Whoever holds it sees to it that one at a time uses it.
/// </summary>
internal sealed class DayAllowance(long bytes)
{
    /// <summary>Some twenty ordinary denials a minute, all day.</summary>
    public const long OfACaller = 32 * 1024 * 1024;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private double _spent;
    private DateTimeOffset _at;

    /// <summary>Spends so much; or, where there is not so much left, how long until there is.</summary>
    public TimeSpan? Spend(DateTimeOffset now, long amount)
    {
        Refill(now);
        if (_spent + amount >= bytes + 1)
        {
            return Day * Math.Min(1, (_spent + amount - bytes) / bytes);
        }

        _spent += amount;
        return null;
    }

    /// <summary>Whether nothing of it is spent, so that it may be forgotten.</summary>
    public bool IsWhole(DateTimeOffset now)
    {
        Refill(now);
        return _spent <= 0;
    }

    private void Refill(DateTimeOffset now)
    {
        // A clock that falls back gives nothing back, and takes nothing.
        if (now > _at)
        {
            _spent = Math.Max(0, _spent - (bytes * ((now - _at) / Day)));
        }

        _at = now;
    }
}
