using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Testing.Broker;

/// <summary>
/// A clock whose wall time a test can set off while the time that passes goes on, as a time server or an operator does.
/// </summary>
internal sealed class JumpingTime(FakeTimeProvider time) : TimeProvider
{
    /// <summary>How far the wall clock is off.</summary>
    public TimeSpan Offset { get; set; }

    public override long TimestampFrequency => time.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + Offset;

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);

    /// <summary>Time passes.</summary>
    public void Advance(TimeSpan passed) => time.Advance(passed);
}
