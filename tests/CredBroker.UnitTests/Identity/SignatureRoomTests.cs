using CredBroker.Core.Identity.Verification;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Identity;

/// <summary>Who waits for whom while signatures are checked.</summary>
public sealed class SignatureRoomTests
{
    private readonly SignatureRoom _room = new(places: 1, () => true);

    [Fact]
    public async Task Sources_take_turns_however_many_tokens_one_of_them_sends()
    {
        Assert.True(await EnterAsync("flood"));
        var flood = Enumerable.Range(0, 100).Select(_ => EnterAsync("flood")).ToList();
        var other = EnterAsync("other");
        Assert.DoesNotContain(flood, task => task.IsCompleted);
        Assert.False(other.IsCompleted);

        _room.Leave("flood");
        Assert.True(await other.WaitAsync(Patience.Limit));
        Assert.DoesNotContain(flood, task => task.IsCompleted);

        _room.Leave("other");
        foreach (var task in flood)
        {
            Assert.True(await task.WaitAsync(Patience.Limit));
            _room.Leave("flood");
        }
    }

    [Fact]
    public async Task One_source_takes_all_places_that_nobody_else_waits_for()
    {
        var room = new SignatureRoom(places: 4, () => true);
        var flood = Enumerable.Range(0, 9).Select(_ => EnterAsync("flood", room: room)).ToList();
        Assert.Equal(
            [true, true, true, true, false, false, false, false, false],
            flood.Select(task => task.IsCompleted)
        );

        // Whoever comes then has every second place that is left, until each has as many.
        var others = new[] { "a", "b", "a" }.Select(source => EnterAsync(source, room: room)).ToList();
        room.Leave("flood");
        Assert.True(await others[0].WaitAsync(Patience.Limit));
        room.Leave("flood");
        Assert.True(await others[1].WaitAsync(Patience.Limit));
        Assert.Equal((4, false), (flood.Count(task => task.IsCompleted), others[2].IsCompleted));

        // Two of the flood's, one of a's, one of b's are under way: a is next, though the flood has waited longer.
        room.Leave("flood");
        Assert.True(await others[2].WaitAsync(Patience.Limit));
        room.Leave("b");
        Assert.True(await flood[4].WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task Half_of_the_places_are_left_to_others_while_the_machine_is_busy()
    {
        var isIdle = false;
        var room = new SignatureRoom(places: 4, () => isIdle);
        var flood = Enumerable.Range(0, 9).Select(_ => EnterAsync("flood", room: room)).ToList();
        Assert.Equal(2, flood.Count(task => task.IsCompleted));
        room.Leave("flood");
        Assert.True(await flood[2].WaitAsync(Patience.Limit));

        // Once it is idle, a place that is left brings in as many as there is room for.
        isIdle = true;
        room.Leave("flood");
        foreach (var entering in flood[3..6])
        {
            Assert.True(await entering.WaitAsync(Patience.Limit));
        }

        Assert.DoesNotContain(flood[6..], task => task.IsCompleted);
        isIdle = false;
        room.Leave("flood");
        room.Leave("flood");
        Assert.DoesNotContain(flood[6..], task => task.IsCompleted);
        room.Leave("flood");
        Assert.True(await flood[6].WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task Beyond_a_bound_one_source_is_refused_and_another_is_not()
    {
        Assert.True(await EnterAsync("flood"));
        var waiting = Enumerable.Range(0, SignatureRoom.MaxPerSource).Select(_ => EnterAsync("flood")).ToList();
        Assert.False(await EnterAsync("flood"));
        var other = EnterAsync("other");
        _room.Leave("flood");
        Assert.True(await other.WaitAsync(Patience.Limit));
        Assert.False(await EnterAsync("flood"));
        _room.Leave("other");

        // There is room for one again.
        var last = EnterAsync("flood");
        foreach (var task in waiting.Append(last))
        {
            Assert.True(await task.WaitAsync(Patience.Limit));
            _room.Leave("flood");
        }
    }

    [Fact]
    public async Task Long_tokens_take_more_of_the_room()
    {
        Assert.True(await EnterAsync("flood"));
        const int longest = CompactJws.MaxLength / SignatureRoom.UsualLength;
        var waiting = Enumerable
            .Range(0, SignatureRoom.MaxPerSource / longest)
            .Select(_ => EnterAsync("flood", CompactJws.MaxLength))
            .ToList();
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        Assert.False(await EnterAsync("flood", 1));
        Assert.False(EnterAsync("other", CompactJws.MaxLength).IsCompleted);
    }

    [Fact]
    public async Task Where_no_room_is_left_the_source_that_has_most_of_it_makes_some()
    {
        Assert.True(await EnterAsync("flood"));
        const int sources = SignatureRoom.MaxInAll / SignatureRoom.MaxPerSource;
        var floods = Enumerable
            .Range(0, sources)
            .Select(source =>
                Enumerable.Range(0, SignatureRoom.MaxPerSource).Select(_ => EnterAsync($"flood-{source}")).ToList()
            )
            .ToList();
        var good = Enumerable.Range(0, 100).Select(_ => EnterAsync("good", CompactJws.MaxLength / 2)).ToList();
        Assert.DoesNotContain(good, task => task.IsCompleted);

        // Those that came last to the fullest were told, from each as many as from another; nobody else was.
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(Told().Sum() == 400),
            "those that were pushed out are told"
        );
        var refused = Told();
        Assert.InRange(refused.Max() - refused.Min(), 0, 1);
        Assert.All(floods, flood => Assert.False(flood[0].IsCompleted));
        Assert.All(
            floods.SelectMany(flood => flood).Where(task => task.IsCompleted),
            task => Assert.False(task.Result)
        );

        // A flood makes no room for itself, nor anybody for one who would have as much as the fullest.
        Assert.False(await EnterAsync("flood-0"));
        _room.Leave("flood");
        for (var turn = 0; turn < sources; turn++)
        {
            Assert.True(await floods[turn][0].WaitAsync(Patience.Limit));
            Assert.False(good[0].IsCompleted);
            _room.Leave($"flood-{turn}");
        }

        Assert.True(await good[0].WaitAsync(Patience.Limit));

        List<int> Told() => [.. floods.Select(flood => flood.Count(task => task.IsCompleted))];
    }

    [Fact]
    public async Task Many_sources_with_one_each_push_nobody_out()
    {
        Assert.True(await EnterAsync("first"));
        var many = Enumerable.Range(0, SignatureRoom.MaxInAll).Select(source => EnterAsync($"{source}")).ToList();
        Assert.DoesNotContain(many, task => task.IsCompleted);
        Assert.False(await EnterAsync("last"));
        Assert.DoesNotContain(many, task => task.IsCompleted);
    }

    [Fact]
    public async Task Whoever_gives_up_holds_nobody_up()
    {
        using var end = new CancellationTokenSource();
        Assert.True(await EnterAsync("a"));
        var behindItsOwn = _room.EnterAsync("a", 1, end.Token).AsTask();
        var behindAnother = _room.EnterAsync("b", 1, end.Token).AsTask();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => behindItsOwn);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => behindAnother);

        _room.Leave("a");
        Assert.True(await EnterAsync("a"));
        _room.Leave("a");
        Assert.True(await EnterAsync("b"));
    }

    [Fact]
    public async Task However_many_come_go_and_give_up_at_once_no_place_is_lost_and_none_is_given_twice()
    {
        var (room, inside, most) = (new SignatureRoom(places: 3, () => true), 0, 0);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 20_000),
            new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (number, _) =>
            {
                using var end = new CancellationTokenSource();
                var entering = room.EnterAsync($"{number % 7}", number % CompactJws.MaxLength, end.Token).AsTask();
                if (number % 3 == 0)
                {
                    await end.CancelAsync();
                }

                try
                {
                    if (!await entering)
                    {
                        return;
                    }
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                var now = Interlocked.Increment(ref inside);
                InterlockedMax(ref most, now);
                await Task.Yield();
                Interlocked.Decrement(ref inside);
                room.Leave($"{number % 7}");
            }
        );

        Assert.InRange(most, 1, 3);
        for (var place = 0; place < 3; place++)
        {
            Assert.True(EnterAsync("last", room: room).IsCompleted);
        }
    }

    [Fact]
    public async Task A_place_that_is_free_costs_no_memory()
    {
        await PassAsync(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        await PassAsync(10_000);

        // The test's own task.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);

        async Task PassAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Assert.True(await _room.EnterAsync("one", 1_000, CancellationToken.None));
                _room.Leave("one");
            }
        }
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = most; seen < value; )
        {
            seen = Interlocked.CompareExchange(ref most, value, seen) is var found && found == seen ? value : found;
        }
    }

    private Task<bool> EnterAsync(string source, int length = 1_000, SignatureRoom? room = null) =>
        (room ?? _room).EnterAsync(source, length, CancellationToken.None).AsTask();
}
