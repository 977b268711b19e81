using CredBroker.Core.Issuing;
using CredBroker.Testing.Broker;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Issuing;

/// <summary>When a backend that does not answer is tried again.</summary>
public sealed class BulkheadTests
{
    private readonly JumpingTime _time = new(new FakeTimeProvider());

    [Fact]
    public async Task A_wall_clock_that_was_wrong_keeps_no_backend_paused()
    {
        var backend = new Bulkhead(limit: 4, lanes: 1, TimeSpan.FromSeconds(30), _time);
        _time.Offset = TimeSpan.FromDays(10);
        for (var i = 0; i < 3; i++)
        {
            using var pass = await backend.EnterAsync(0, CancellationToken.None);
            pass!.Say(answered: false);
        }

        Assert.Equal(TimeSpan.FromSeconds(2), backend.Paused);
        _time.Offset = TimeSpan.Zero;
        Assert.Equal(TimeSpan.FromSeconds(2), backend.Paused);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(backend.Paused);
        using var again = await backend.EnterAsync(0, CancellationToken.None);
        Assert.NotNull(again);
    }

    [Fact]
    public async Task A_pause_that_ends_while_it_is_looked_at_leaves_nobody_waiting_for_nothing()
    {
        var time = new RunningTime();
        var backend = new Bulkhead(limit: 4, lanes: 1, TimeSpan.FromSeconds(30), time);
        for (var i = 0; i < 3; i++)
        {
            using var pass = await backend.EnterAsync(0, CancellationToken.None);
            pass!.Say(answered: false);
        }

        // The next look comes before the end, and each later one after it.
        time.Next += TimeSpan.FromSeconds(2).Ticks - 2 * RunningTime.Step;
        var entering = backend.EnterAsync(0, CancellationToken.None);
        Assert.True(entering.IsCompleted);
        Assert.Null(await entering);
        using var later = await backend.EnterAsync(0, CancellationToken.None);
        Assert.NotNull(later);
    }

    /// <summary>Time that passes with each look at it.</summary>
    private sealed class RunningTime : TimeProvider
    {
        public const long Step = 1;

        public long Next { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Next += Step;
    }
}
