using System.Security.Cryptography;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity.Keys;

/// <summary>
/// The current keys of one issuer or trust domain. Any number of callers share one read; tokens that name unknown keys
/// can ask for another no more often than the cool-down permits; a failed read keeps the last keys.
/// </summary>
internal sealed partial class KeySource(
    string name,
    Func<CancellationToken, Task<ReadOnlyMemory<byte>>> fetch,
    Func<ReadOnlyMemory<byte>, KeyDocument> parse,
    KeyTiming timing,
    TimeProvider time,
    ILogger<KeySource> logger
) : ITrustSource
{
    /// <summary>The longest that a caller waits for a read.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    // Callers of nobody knows whom: those who name unknown keys while a read is under way.
    private const int MaxWaiting = 256;
    private const int LoggedReasons = 10;

    private readonly Lock _gate = new();
    private volatile Loaded? _loaded;
    private Task? _running;
    private long? _lastAsked;
    private string _lastFailure = "";
    private volatile int _failuresInARow;
    private int _waiting;

    private sealed record Loaded(KeyDocument Document, byte[] Digest, long At);

    /// <summary>The issuer, or the trust domain as a SPIFFE ID.</summary>
    public string Name => name;

    /// <summary>
    /// The keys in force; null while there are none, or none that are fresh enough. The same instance for as long as
    /// the content is the same.
    /// </summary>
    public TrustAnchors? Current =>
        _loaded is { } keys && (timing.MaxStale is not { } max || time.GetElapsedTime(keys.At) <= max)
            ? keys.Document.Anchors
            : null;

    /// <summary>How long ago the keys were read last; null where they never were.</summary>
    public TimeSpan? ReadAgo => _loaded is { } keys ? time.GetElapsedTime(keys.At) : null;

    /// <summary>When to read again.</summary>
    public TimeSpan NextRead =>
        _loaded switch
        {
            null => timing.CoolDownAfter(_failuresInARow),
            _ when _lastFailure.Length > 0 => timing.CoolDown,
            { Document.RefreshHint: { } hint } when hint < timing.Interval => hint,
            _ => timing.Interval,
        };

    /// <summary>When a caller whose key is unknown may ask again with any hope.</summary>
    public TimeSpan? RetryAfter
    {
        get
        {
            lock (_gate)
            {
                var left = _lastAsked is { } last ? CoolDown - time.GetElapsedTime(last) : TimeSpan.Zero;
                return left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
            }
        }
    }

    private TimeSpan CoolDown => Current is null ? timing.CoolDownAfter(_failuresInARow) : timing.CoolDown;

    /// <summary>
    /// Keys other than <paramref name="seen"/> if there are any by now: those that another caller got, or those of a
    /// read that this call starts or joins.
    /// </summary>
    public async ValueTask<TrustAnchors?> NewerThanAsync(TrustAnchors? seen, CancellationToken cancellationToken)
    {
        Task? read;
        lock (_gate)
        {
            if (Current is { } current && current != seen)
            {
                return current;
            }

            var coolingDown = _lastAsked is { } last && time.GetElapsedTime(last) < CoolDown;
            if (!coolingDown)
            {
                _lastAsked = time.GetTimestamp();
            }

            read = _running ?? (coolingDown ? null : Start());
        }

        try
        {
            if (Interlocked.Increment(ref _waiting) <= MaxWaiting && read is not null)
            {
                await read.WaitAsync(MaxWait, time, cancellationToken);
            }
        }
        catch (TimeoutException)
        {
            // The read goes on; callers of an issuer that does not answer must not pile up behind it.
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        return Current is { } newer && newer != seen ? newer : null;
    }

    /// <summary>
    /// Waits until a first read has ended, well or not, and no longer than <see cref="MaxWait"/>. Does not wait once one
    /// has: an issuer that does not answer costs the callers nothing.
    /// </summary>
    public async Task WaitForFirstReadAsync(CancellationToken cancellationToken)
    {
        if (_loaded is null && _lastFailure.Length == 0)
        {
            await NewerThanAsync(null, cancellationToken);
        }
    }

    /// <summary>
    /// Reads now, or joins the read under way. Never fails: what went wrong is logged, and the last keys stay.
    /// </summary>
    public Task ReadAsync()
    {
        lock (_gate)
        {
            return _running ?? Start();
        }
    }

    // Runs on its own: the caller that happened to start it may give up without failing the others.
    private Task Start() => _running = Task.Run(ReadOnceAsync);

    private async Task ReadOnceAsync()
    {
        try
        {
            using var deadline = new CancellationTokenSource(timing.Timeout, time);
            var bytes = await fetch(deadline.Token).WaitAsync(deadline.Token);
            Accept(bytes);
        }
        catch (OperationCanceledException)
        {
            Fail($"no answer within {timing.Timeout}");
        }
        catch (Exception fault)
        {
            // Whatever the document or its server did, the broker goes on with the keys it has.
            Fail(fault is KeyDocumentException ? fault.Message : $"{fault.GetType().Name}: {fault.Message}");
        }
        finally
        {
            lock (_gate)
            {
                _running = null;
            }
        }
    }

    private void Accept(ReadOnlyMemory<byte> bytes)
    {
        var digest = SHA256.HashData(bytes.Span);
        if (_loaded is { } same && same.Digest.AsSpan().SequenceEqual(digest))
        {
            _loaded = same with { At = time.GetTimestamp() };
        }
        else
        {
            var document = parse(bytes);
            _loaded = new Loaded(document, digest, time.GetTimestamp());
            LogLoaded(name, document.Anchors.JwtKeys.Count);
            foreach (var reason in document.Skipped.Take(LoggedReasons))
            {
                LogSkipped(name, reason);
            }
        }

        _lastFailure = "";
        _failuresInARow = 0;
    }

    private void Fail(string reason)
    {
        // Said once; the next attempt fails for the same reason more often than not.
        if (reason != _lastFailure)
        {
            LogFailed(name, reason, _loaded is null ? "there are none yet" : "the last ones stay in use");
        }

        _lastFailure = reason;
        _failuresInARow++;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Keys of {Name} read: {Count} are usable")]
    private partial void LogLoaded(string name, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Keys of {Name}: skipped {Reason}")]
    private partial void LogSkipped(string name, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Keys of {Name} could not be read, {Consequence}: {Reason}")]
    private partial void LogFailed(string name, string reason, string consequence);
}
