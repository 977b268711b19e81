using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
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

    [Theory]
    [InlineData(8, 16)]
    [InlineData(16, 24)]
    [InlineData(200, 28)]
    public void However_many_backends_are_dead_their_revocations_leave_room_in_Vault(int dead, int open)
    {
        var bulkheads = new RevocationBulkheads(new LeaseOptions(), _time);
        var passes = Enumerable
            .Range(0, 4 * dead)
            .Select(i => bulkheads.Of($"dead{i % dead}").TryEnter(lane: 0))
            .OfType<Bulkhead.Pass>()
            .ToList();

        Assert.Equal(open, passes.Count);

        // One of them answers, and what waited behind all of them goes on, one call after the other.
        passes.ForEach(pass => pass.Dispose());
        for (var i = 0; i < 100; i++)
        {
            using var pass = bulkheads.Of("well").TryEnter(lane: 0);
            Assert.NotNull(pass);
        }
    }

    [Fact]
    public async Task A_backend_that_is_well_goes_on_while_others_hold_what_all_may_have_beside_their_first()
    {
        var bulkheads = new RevocationBulkheads(new LeaseOptions(), _time);
        for (var i = 0; i < 4 * 19; i++)
        {
            bulkheads.Of($"dead{i % 19}").TryEnter(lane: 0);
        }

        var well = bulkheads.Of("well");
        var first = well.TryEnter(lane: 0)!;
        var waiting = well.EnterAsync(lane: 0, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        for (var i = 0; i < 100; i++)
        {
            var next = well.EnterAsync(lane: 0, CancellationToken.None).AsTask();
            first.Dispose();
            first = (await waiting)!;
            Assert.NotNull(first);
            waiting = next;
        }
    }

    [Fact]
    public async Task What_waits_behind_a_backends_only_place_is_told_when_the_others_have_taken_all()
    {
        var shared = new SharedPlaces(limit: 1, besideFirst: 0);
        var (one, other) = (Sharing(shared), Sharing(shared));
        var pass = one.TryEnter(lane: 0)!;
        var waiting = one.EnterAsync(lane: 0, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);

        Assert.Null(await other.EnterAsync(lane: 0, CancellationToken.None));
        Assert.True(other.IsFullWith(0));
        Assert.Equal(0, other.Room(lane: 0));
        pass.Dispose();

        using var next = await waiting;
        Assert.NotNull(next);
        Assert.Null(other.TryEnter(lane: 0));
    }

    [Fact]
    public async Task Whoever_gives_up_waiting_takes_no_place_of_all()
    {
        var shared = new SharedPlaces(limit: 2, besideFirst: 1);
        var backend = Sharing(shared);
        var passes = new[] { backend.TryEnter(lane: 0)!, backend.TryEnter(lane: 0)! };
        using var over = new CancellationTokenSource();
        var waiting = backend.EnterAsync(lane: 0, over.Token).AsTask();
        await over.CancelAsync();
        Assert.Null(await waiting);
        passes[0].Dispose();
        passes[1].Dispose();

        Assert.True(backend.IsIdle);
        Assert.True(shared.TryTake(isFirst: true));
        Assert.True(shared.TryTake(isFirst: false));
        Assert.False(shared.HasRoom(isFirst: true));
    }

    private Bulkhead Sharing(SharedPlaces shared) => new(limit: 4, lanes: 1, TimeSpan.FromSeconds(30), _time, shared);

    /// <summary>Time that passes with each look at it.</summary>
    private sealed class RunningTime : TimeProvider
    {
        public const long Step = 1;

        public long Next { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Next += Step;
    }
}
