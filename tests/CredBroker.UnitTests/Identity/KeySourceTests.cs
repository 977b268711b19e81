using System.Text;
using CredBroker.Server.Identity.Keys;
using CredBroker.Testing.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Identity;

/// <summary>When keys are read, how often, and what is used when they cannot be.</summary>
public sealed class KeySourceTests
{
    private static readonly KeyTiming Timing = new(
        TimeSpan.FromMinutes(5),
        TimeSpan.FromSeconds(30),
        TimeSpan.FromSeconds(10),
        TimeSpan.FromHours(1)
    );
    private static readonly string One = TestKey.Jwks(TestKey.Rsa.Jwk());
    private static readonly string Two = TestKey.Jwks(TestKey.Rsa.Jwk(), TestKey.Ec.Jwk());

    private readonly FakeTimeProvider _time = new();
    private readonly KeySource _source;
    private Func<CancellationToken, Task<ReadOnlyMemory<byte>>> _answer = _ => Answer(One);
    private int _reads;

    public KeySourceTests() =>
        _source = new KeySource("issuer", Read, KeyDocument.FromJwks, Timing, _time, NullLogger<KeySource>.Instance);

    [Fact]
    public async Task The_first_caller_waits_for_the_first_keys()
    {
        Assert.Null(_source.Current);
        var keys = await _source.NewerThanAsync(null, TestContext.Current.CancellationToken);
        Assert.NotNull(keys);
        Assert.Same(keys, _source.Current);
        Assert.Equal(1, _reads);
    }

    [Fact]
    public async Task The_end_of_the_first_read_is_waited_for_and_of_no_later_one()
    {
        var gate = new TaskCompletionSource();
        _answer = async _ =>
        {
            await gate.Task;
            throw new KeyDocumentException("nothing here");
        };
        var first = _source.WaitForFirstReadAsync(default);
        Assert.False(first.IsCompleted);
        gate.SetResult();
        await first;
        Assert.Null(_source.Current);

        _answer = async cancellationToken =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
            return default;
        };
        var second = _source.ReadAsync();
        await _source.WaitForFirstReadAsync(default);
        Assert.False(second.IsCompleted);
    }

    [Fact]
    public async Task However_many_callers_ask_there_is_one_read()
    {
        var gate = new TaskCompletionSource();
        _answer = async _ =>
        {
            await gate.Task;
            return await Answer(One);
        };
        var callers = Enumerable.Range(0, 100).Select(_ => _source.NewerThanAsync(null, default).AsTask()).ToArray();
        gate.SetResult();
        Assert.Single((await Task.WhenAll(callers)).Distinct());
        Assert.Equal(1, _reads);
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_fail_the_others()
    {
        var gate = new TaskCompletionSource();
        _answer = async _ =>
        {
            await gate.Task;
            return await Answer(One);
        };
        using var impatient = new CancellationTokenSource();
        var first = _source.NewerThanAsync(null, impatient.Token).AsTask();
        var second = _source.NewerThanAsync(null, default).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();
        Assert.NotNull(await second);
    }

    [Fact]
    public async Task A_flood_of_unknown_keys_reads_once_per_cool_down()
    {
        var keys = await _source.NewerThanAsync(null, default);
        _time.Advance(Timing.CoolDown);
        for (var second = 0; second < 120; second++)
        {
            for (var i = 0; i < 50; i++)
            {
                Assert.Null(await _source.NewerThanAsync(keys, default));
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(1 + 4, _reads);
    }

    [Fact]
    public async Task An_unknown_key_just_after_a_scheduled_read_is_looked_for_at_once()
    {
        await _source.ReadAsync();
        _answer = _ => Answer(Two);
        Assert.NotNull(await _source.NewerThanAsync(_source.Current, default));
    }

    [Fact]
    public async Task A_cool_down_says_how_long_it_lasts()
    {
        var keys = await _source.NewerThanAsync(null, default);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(20), _source.RetryAfter);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Null(await _source.NewerThanAsync(keys, default));
        Assert.Equal(TimeSpan.FromSeconds(30), _source.RetryAfter);
    }

    [Fact]
    public async Task What_another_caller_has_found_is_there_despite_the_cool_down()
    {
        var old = await _source.NewerThanAsync(null, default);
        _answer = _ => Answer(Two);
        await _source.ReadAsync();
        Assert.Same(_source.Current, await _source.NewerThanAsync(old, default));
        Assert.Equal(2, _reads);
    }

    [Fact]
    public async Task The_same_content_is_the_same_generation()
    {
        await _source.ReadAsync();
        var first = _source.Current;
        await _source.ReadAsync();
        Assert.Same(first, _source.Current);
        _answer = _ => Answer(Two);
        await _source.ReadAsync();
        Assert.NotSame(first, _source.Current);
    }

    [Fact]
    public async Task A_failed_read_keeps_the_last_keys_for_a_bounded_time()
    {
        await _source.ReadAsync();
        var keys = _source.Current;
        Assert.Equal(Timing.Interval, _source.NextRead);
        foreach (
            var failure in new Exception[]
            {
                new HttpRequestException("down"),
                new IOException("gone"),
                new KeyDocumentException("odd"),
                new UriFormatException("unforeseen"),
            }
        )
        {
            _answer = _ => throw failure;
            await _source.ReadAsync();
            Assert.Same(keys, _source.Current);
            Assert.Equal(Timing.CoolDown, _source.NextRead);
        }

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Same(keys, _source.Current);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_source.Current);
        _answer = _ => Answer(One);
        Assert.NotNull(await _source.NewerThanAsync(null, default));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"keys":[],"keys":[]}""")]
    public async Task A_document_that_cannot_be_used_keeps_the_last_keys(string document)
    {
        await _source.ReadAsync();
        var keys = _source.Current;
        _answer = _ => Answer(document);
        await _source.ReadAsync();
        Assert.Same(keys, _source.Current);
    }

    [Fact]
    public async Task A_read_that_does_not_end_is_given_up()
    {
        _answer = ct =>
            Task.Delay(Timeout.InfiniteTimeSpan, _time, CancellationToken.None)
                .ContinueWith(
                    _ => ReadOnlyMemory<byte>.Empty,
                    CancellationToken.None,
                    TaskContinuationOptions.None,
                    TaskScheduler.Default
                );
        var read = _source.ReadAsync();
        while (Volatile.Read(ref _reads) == 0)
        {
            await Task.Yield();
        }

        while (!read.IsCompleted)
        {
            _time.Advance(Timing.Timeout);
            await Task.Yield();
        }

        Assert.Null(_source.Current);
        _answer = _ => Answer(One);
        Assert.NotNull(await _source.NewerThanAsync(null, default));
    }

    [Fact]
    public async Task A_caller_waits_a_bounded_time_for_a_read_that_goes_on()
    {
        var gate = new TaskCompletionSource();
        _answer = async _ =>
        {
            await gate.Task;
            return await Answer(One);
        };
        var asking = _source.NewerThanAsync(null, default).AsTask();
        _time.Advance(KeySource.MaxWait);
        Assert.Null(await asking);
        var read = _source.ReadAsync();
        gate.SetResult();
        await read;
        Assert.NotNull(_source.Current);
        Assert.Equal(1, _reads);
    }

    [Fact]
    public async Task Without_keys_the_first_ones_are_tried_for_each_second()
    {
        _answer = _ => throw new HttpRequestException("not listening yet");
        Assert.Null(await _source.NewerThanAsync(null, default));
        Assert.Null(await _source.NewerThanAsync(null, default));
        Assert.Equal(1, _reads);
        Assert.Equal(TimeSpan.FromSeconds(1), _source.NextRead);
        _time.Advance(TimeSpan.FromSeconds(1));
        _answer = _ => Answer(One);
        Assert.NotNull(await _source.NewerThanAsync(null, default));
    }

    [Fact]
    public async Task An_issuer_that_stays_without_keys_is_asked_less_and_less_often()
    {
        _answer = _ => throw new HttpRequestException("down");
        var waits = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            await _source.ReadAsync();
            waits.Add(_source.NextRead.TotalSeconds);
        }

        Assert.Equal([1, 2, 4, 8, 16, 30, 30, 30], waits);

        // Nor do tokens get it asked more often, and they are told how long it is in vain.
        var before = _reads;
        Assert.Null(await _source.NewerThanAsync(null, default));
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Null(await _source.NewerThanAsync(null, default));
        Assert.Equal(before + 1, _reads);
        Assert.Equal(TimeSpan.FromSeconds(1), _source.RetryAfter);

        _answer = _ => Answer(One);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await _source.NewerThanAsync(null, default));
        Assert.Equal(Timing.Interval, _source.NextRead);
    }

    [Fact]
    public async Task A_bundles_refresh_hint_shortens_the_interval_and_never_lengthens_it()
    {
        foreach (var (hint, expected) in new[] { (2, 2), (4_000, 300) })
        {
            var bundle = new KeySource(
                "spiffe://td",
                _ => Answer($$"""{"keys":[],"spiffe_refresh_hint":{{hint}}}"""),
                new BundleSequence().Read,
                Timing,
                _time,
                NullLogger<KeySource>.Instance
            );
            await bundle.ReadAsync();
            Assert.Equal(TimeSpan.FromSeconds(expected), bundle.NextRead);
        }
    }

    private Task<ReadOnlyMemory<byte>> Read(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return _answer(cancellationToken);
    }

    private static Task<ReadOnlyMemory<byte>> Answer(string document) =>
        Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(document));
}
