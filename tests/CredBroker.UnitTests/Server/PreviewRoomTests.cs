using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Policy;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Server;

public sealed class PreviewRoomTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly PreviewRoom _room;

    public PreviewRoomTests() => _room = new(_time);

    public void Dispose() => _room.Dispose();

    [Fact]
    public async Task A_preview_that_takes_too_long_is_refused_with_when_to_try_again_and_makes_room()
    {
        var slow = _room.RunAsync(NeverAsync, TestContext.Current.CancellationToken).AsTask();
        _time.Advance(PreviewRoom.Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(slow.IsCompleted);
        Assert.Equal(TimeSpan.FromSeconds(1), (await RefusedAsync()).RetryAfter);

        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False((await slow).Passes(out _, out var refusal));
        Assert.Equal((RefusalCode.Overloaded, TimeSpan.FromSeconds(30)), (refusal.Code, refusal.RetryAfter));
        var next = await _room.RunAsync(_ => ValueTask.FromResult("found"), TestContext.Current.CancellationToken);
        Assert.True(next.Passes(out var found, out _));
        Assert.Equal("found", found);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_told_nothing_of_a_deadline()
    {
        using var givenUp = new CancellationTokenSource();
        var slow = _room.RunAsync(NeverAsync, givenUp.Token).AsTask();
        await givenUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
    }

    private async Task<Refusal> RefusedAsync()
    {
        var run = await _room.RunAsync(NeverAsync, TestContext.Current.CancellationToken);
        Assert.False(run.Passes(out _, out var refusal));
        return refusal;
    }

    private static async ValueTask<string> NeverAsync(CancellationToken cancellationToken)
    {
        var never = new TaskCompletionSource<string>();
        await using var _ = cancellationToken.Register(() => never.TrySetCanceled(cancellationToken));
        return await never.Task;
    }
}
