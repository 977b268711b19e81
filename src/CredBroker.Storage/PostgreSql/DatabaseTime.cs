namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// The wall clock of the database, which all of its brokers go by: as it was read last, and from then on by the
/// process's monotonic clock. What the process's wall clock says has no part in it. It may lag by what an answer takes
/// to come, and is never ahead. Until it was read for the first time it is the process's own.
/// </summary>
/// <param name="time">The process's clocks.</param>
/// <param name="isRead">Whether the database's clock is taken at all; not where a test makes the time.</param>
internal sealed class DatabaseTime(TimeProvider time, bool isRead) : TimeProvider
{
    /// <summary>An answer that took longer says too little of when it was given.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private volatile Reading? _reading;

    public override long TimestampFrequency => time.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() =>
        _reading is { } reading ? reading.Time + time.GetElapsedTime(reading.At) : time.GetUtcNow();

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);

    /// <summary>The database said this time, in Unix milliseconds. Whether it is taken.</summary>
    /// <param name="milliseconds">The time.</param>
    /// <param name="askedAt">When it was asked, as <see cref="GetTimestamp"/> says it.</param>
    public bool TryTake(long milliseconds, long askedAt)
    {
        var now = time.GetTimestamp();
        if (!isRead || _reading is not null && time.GetElapsedTime(askedAt, now) > Longest)
        {
            return false;
        }

        _reading = new(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), now);
        return true;
    }

    private sealed record Reading(DateTimeOffset Time, long At);
}
