using System.Text;
using CredBroker.Core.Identity;
using CredBroker.Server.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Identity;

/// <summary>When keys are read, how often, and what is used when they cannot be.</summary>
public sealed class KeySourceTests
{
    private static readonly KeyTiming Timing = new(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10), TimeSpan.FromHours(1));
    private static readonly string One = TestKey.Jwks(TestKey.Rsa.Jwk());
    private static readonly string Two = TestKey.Jwks(TestKey.Rsa.Jwk(), TestKey.Ec.Jwk());

    private readonly FakeTimeProvider time = new();
    private readonly KeySource source;
    private Func<CancellationToken, Task<ReadOnlyMemory<byte>>> answer = _ => Answer(One);
    private int reads;

    public KeySourceTests() => source = new KeySource("issuer", Read, KeyDocument.FromJwks, Timing, time, NullLogger<KeySource>.Instance);

    [Fact]
    public async Task The_first_caller_waits_for_the_first_keys()
    {
        Assert.Null(source.Current);
        var keys = await source.NewerThanAsync(null, TestContext.Current.CancellationToken);
        Assert.NotNull(keys);
        Assert.Same(keys, source.Current);
        Assert.Equal(1, reads);
    }

    [Fact]
    public async Task However_many_callers_ask_there_is_one_read()
    {
        var gate = new TaskCompletionSource();
        answer = async _ =>
        {
            await gate.Task;
            return await Answer(One);
        };
        var callers = Enumerable.Range(0, 100).Select(_ => source.NewerThanAsync(null, default).AsTask()).ToArray();
        gate.SetResult();
        Assert.Single((await Task.WhenAll(callers)).Distinct());
        Assert.Equal(1, reads);
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_fail_the_others()
    {
        var gate = new TaskCompletionSource();
        answer = async _ =>
        {
            await gate.Task;
            return await Answer(One);
        };
        using var impatient = new CancellationTokenSource();
        var first = source.NewerThanAsync(null, impatient.Token).AsTask();
        var second = source.NewerThanAsync(null, default).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();
        Assert.NotNull(await second);
    }

    [Fact]
    public async Task A_flood_of_unknown_keys_reads_once_per_cool_down()
    {
        var keys = await source.NewerThanAsync(null, default);
        time.Advance(Timing.CoolDown);
        for (int second = 0; second < 120; second++)
        {
            for (int i = 0; i < 50; i++) Assert.Null(await source.NewerThanAsync(keys, default));
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(1 + 4, reads);
    }

    [Fact]
    public async Task An_unknown_key_just_after_a_scheduled_read_is_looked_for_at_once()
    {
        await source.ReadAsync();
        answer = _ => Answer(Two);
        Assert.NotNull(await source.NewerThanAsync(source.Current, default));
    }

    [Fact]
    public async Task A_cool_down_says_how_long_it_lasts()
    {
        var keys = await source.NewerThanAsync(null, default);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(20), source.RetryAfter);
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Null(await source.NewerThanAsync(keys, default));
        Assert.Equal(TimeSpan.FromSeconds(30), source.RetryAfter);
    }

    [Fact]
    public async Task What_another_caller_has_found_is_there_despite_the_cool_down()
    {
        var old = await source.NewerThanAsync(null, default);
        answer = _ => Answer(Two);
        await source.ReadAsync();
        Assert.Same(source.Current, await source.NewerThanAsync(old, default));
        Assert.Equal(2, reads);
    }

    [Fact]
    public async Task The_same_content_is_the_same_generation()
    {
        await source.ReadAsync();
        var first = source.Current;
        await source.ReadAsync();
        Assert.Same(first, source.Current);
        answer = _ => Answer(Two);
        await source.ReadAsync();
        Assert.NotSame(first, source.Current);
    }

    [Fact]
    public async Task A_failed_read_keeps_the_last_keys_for_a_bounded_time()
    {
        await source.ReadAsync();
        var keys = source.Current;
        Assert.Equal(Timing.Interval, source.NextRead);
        foreach (var failure in new Exception[] { new HttpRequestException("down"), new IOException("gone"), new KeyDocumentException("odd"), new UriFormatException("unforeseen") })
        {
            answer = _ => throw failure;
            await source.ReadAsync();
            Assert.Same(keys, source.Current);
            Assert.Equal(Timing.CoolDown, source.NextRead);
        }

        time.Advance(TimeSpan.FromHours(1));
        Assert.Same(keys, source.Current);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(source.Current);
        answer = _ => Answer(One);
        Assert.NotNull(await source.NewerThanAsync(null, default));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"keys":[],"keys":[]}""")]
    public async Task A_document_that_cannot_be_used_keeps_the_last_keys(string document)
    {
        await source.ReadAsync();
        var keys = source.Current;
        answer = _ => Answer(document);
        await source.ReadAsync();
        Assert.Same(keys, source.Current);
    }

    [Fact]
    public async Task A_read_that_does_not_end_is_given_up()
    {
        answer = ct => Task.Delay(Timeout.InfiniteTimeSpan, time, CancellationToken.None).ContinueWith(_ => ReadOnlyMemory<byte>.Empty, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        var read = source.ReadAsync();
        while (Volatile.Read(ref reads) == 0) await Task.Yield();
        while (!read.IsCompleted)
        {
            time.Advance(Timing.Timeout);
            await Task.Yield();
        }

        Assert.Null(source.Current);
        answer = _ => Answer(One);
        Assert.NotNull(await source.NewerThanAsync(null, default));
    }

    [Fact]
    public async Task A_caller_waits_a_bounded_time_for_a_read_that_goes_on()
    {
        var gate = new TaskCompletionSource();
        answer = async _ =>
        {
            await gate.Task;
            return await Answer(One);
        };
        var asking = source.NewerThanAsync(null, default).AsTask();
        time.Advance(KeySource.MaxWait);
        Assert.Null(await asking);
        var read = source.ReadAsync();
        gate.SetResult();
        await read;
        Assert.NotNull(source.Current);
        Assert.Equal(1, reads);
    }

    [Fact]
    public async Task Without_keys_the_first_ones_are_tried_for_each_second()
    {
        answer = _ => throw new HttpRequestException("not listening yet");
        Assert.Null(await source.NewerThanAsync(null, default));
        Assert.Null(await source.NewerThanAsync(null, default));
        Assert.Equal(1, reads);
        Assert.Equal(TimeSpan.FromSeconds(1), source.NextRead);
        time.Advance(TimeSpan.FromSeconds(1));
        answer = _ => Answer(One);
        Assert.NotNull(await source.NewerThanAsync(null, default));
    }

    [Fact]
    public async Task A_bundles_refresh_hint_shortens_the_interval_and_never_lengthens_it()
    {
        foreach (var (hint, expected) in new[] { (2, 2), (4_000, 300) })
        {
            var bundle = new KeySource(
                "spiffe://td", _ => Answer($$"""{"keys":[],"spiffe_refresh_hint":{{hint}}}"""), new BundleSequence().Read, Timing, time, NullLogger<KeySource>.Instance);
            await bundle.ReadAsync();
            Assert.Equal(TimeSpan.FromSeconds(expected), bundle.NextRead);
        }
    }

    private Task<ReadOnlyMemory<byte>> Read(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref reads);
        return answer(cancellationToken);
    }

    private static Task<ReadOnlyMemory<byte>> Answer(string document) => Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(document));
}
