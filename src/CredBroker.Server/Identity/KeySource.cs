using System.Security.Cryptography;
using CredBroker.Core.Identity;

namespace CredBroker.Server.Identity;

/// <summary>
/// The current keys of one issuer or trust domain. Any number of callers share one read; tokens that name unknown keys can ask for another no more often than
/// the cool-down permits; a failed read keeps the last keys.
/// </summary>
internal sealed partial class KeySource(
    string name,
    Func<CancellationToken, Task<ReadOnlyMemory<byte>>> fetch,
    Func<ReadOnlyMemory<byte>, KeyDocument> parse,
    KeyTiming timing,
    TimeProvider time,
    ILogger<KeySource> logger)
{
    /// <summary>The longest that a caller waits for a read.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    private const int LoggedReasons = 10;

    private readonly Lock gate = new();
    private volatile Loaded? loaded;
    private Task? running;
    private long? lastAsked;
    private string lastFailure = "";

    private sealed record Loaded(KeyDocument Document, byte[] Digest, long At);

    /// <summary>The issuer, or the trust domain as a SPIFFE ID.</summary>
    public string Name => name;

    /// <summary>The keys in force; null while there are none, or none that are fresh enough. The same instance for as long as the content is the same.</summary>
    public VerificationKeys? Current =>
        loaded is { } keys && (timing.MaxStale is not { } max || time.GetElapsedTime(keys.At) <= max) ? keys.Document.Keys : null;

    /// <summary>When to read again.</summary>
    public TimeSpan NextRead => loaded switch
    {
        null => KeyTiming.CoolDownWithoutKeys,
        _ when lastFailure.Length > 0 => timing.CoolDown,
        { Document.RefreshHint: { } hint } when hint < timing.Interval => hint,
        _ => timing.Interval,
    };

    /// <summary>When a caller whose key is unknown may ask again with any hope.</summary>
    public TimeSpan RetryAfter
    {
        get
        {
            lock (gate)
            {
                var left = lastAsked is { } last ? CoolDown - time.GetElapsedTime(last) : TimeSpan.Zero;
                return left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
            }
        }
    }

    private TimeSpan CoolDown => Current is null ? KeyTiming.CoolDownWithoutKeys : timing.CoolDown;

    /// <summary>Keys other than <paramref name="seen"/> if there are any by now: those that another caller got, or those of a read that this call starts or joins.</summary>
    public async ValueTask<VerificationKeys?> NewerThanAsync(VerificationKeys? seen, CancellationToken cancellationToken)
    {
        Task? read;
        lock (gate)
        {
            if (Current is { } current && current != seen) return current;
            bool coolingDown = lastAsked is { } last && time.GetElapsedTime(last) < CoolDown;
            if (!coolingDown) lastAsked = time.GetTimestamp();
            read = running ?? (coolingDown ? null : Start());
        }

        try
        {
            if (read is not null) await read.WaitAsync(MaxWait, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The read goes on; callers of an issuer that does not answer must not pile up behind it.
        }

        return Current is { } newer && newer != seen ? newer : null;
    }

    /// <summary>Reads now, or joins the read under way. Never fails: what went wrong is logged, and the last keys stay.</summary>
    public Task ReadAsync()
    {
        lock (gate)
        {
            return running ?? Start();
        }
    }

    // Runs on its own: the caller that happened to start it may give up without failing the others.
    private Task Start() => running = Task.Run(ReadOnceAsync);

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
            lock (gate)
            {
                running = null;
            }
        }
    }

    private void Accept(ReadOnlyMemory<byte> bytes)
    {
        byte[] digest = SHA256.HashData(bytes.Span);
        if (loaded is { } same && same.Digest.AsSpan().SequenceEqual(digest))
        {
            loaded = same with { At = time.GetTimestamp() };
        }
        else
        {
            var document = parse(bytes);
            loaded = new Loaded(document, digest, time.GetTimestamp());
            LogLoaded(name, document.Keys.Keys.Count);
            foreach (string reason in document.Skipped.Take(LoggedReasons)) LogSkipped(name, reason);
        }

        lastFailure = "";
    }

    private void Fail(string reason)
    {
        // Said once; the next attempt fails for the same reason more often than not.
        if (reason != lastFailure) LogFailed(name, reason, loaded is null ? "there are none yet" : "the last ones stay in use");
        lastFailure = reason;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Keys of {Name} read: {Count} are usable")]
    private partial void LogLoaded(string name, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Keys of {Name}: skipped {Reason}")]
    private partial void LogSkipped(string name, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Keys of {Name} could not be read, {Consequence}: {Reason}")]
    private partial void LogFailed(string name, string reason, string consequence);
}
