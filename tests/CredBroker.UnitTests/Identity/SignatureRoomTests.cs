using CredBroker.Core.Identity.Verification;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Identity;

/// <summary>Who waits for whom while signatures are checked.</summary>
public sealed class SignatureRoomTests
{
    private readonly SignatureRoom _room = new(processors: 1);

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
    public async Task Beyond_a_bound_one_source_is_refused_and_another_is_not()
    {
        var waiting = Enumerable.Range(0, SignatureRoom.MaxPerSource).Select(_ => EnterAsync("flood")).ToList();
        Assert.False(await EnterAsync("flood"));
        var other = EnterAsync("other");
        _room.Leave("flood");
        Assert.True(await other.WaitAsync(Patience.Limit));
        _room.Leave("other");

        // There is room for one again.
        var last = EnterAsync("flood");
        foreach (var task in waiting.Skip(1).Append(last))
        {
            Assert.True(await task.WaitAsync(Patience.Limit));
            _room.Leave("flood");
        }
    }

    [Fact]
    public async Task Whoever_gives_up_holds_nobody_up()
    {
        using var end = new CancellationTokenSource();
        Assert.True(await EnterAsync("a"));
        var behindItsOwn = _room.EnterAsync("a", end.Token).AsTask();
        var behindAnother = _room.EnterAsync("b", end.Token).AsTask();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => behindItsOwn);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => behindAnother);

        _room.Leave("a");
        Assert.True(await EnterAsync("a"));
        _room.Leave("a");
        Assert.True(await EnterAsync("b"));
    }

    private Task<bool> EnterAsync(string source) => _room.EnterAsync(source, CancellationToken.None).AsTask();
}
