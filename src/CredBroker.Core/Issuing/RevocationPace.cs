using System.Collections.Concurrent;

namespace CredBroker.Core.Issuing;

/// <summary>
/// Keeps what is issued from outrunning what is revoked. The two share the store, Vault and the machine, and whoever asks
/// waits for nothing but its own answer, so that enough who ask would leave what has ended no share. A backend is behind
/// while first attempts there get their turn later than <see cref="Late"/> after they were due. Then one secret is issued
/// there for every two attempts that end, so that what is behind grows less; whoever asks waits for that, a little, and is
/// refused then. A backend that is away has no turns, and so is not behind: it has a pause, which is another matter.
/// </summary>
public sealed class RevocationPace(TimeProvider time)
{
    /// <summary>How late a first attempt may get its turn before issuing slows down.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a backend is behind after the last late turn.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromSeconds(1);

    /// <summary>How long one who asks waits.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private const int AttemptsOfASecret = 2;
    private const int MaxBackends = 1_000;

    private readonly ConcurrentDictionary<string, Backend> _behind = new(StringComparer.Ordinal);

    /// <summary>A first attempt at the backend gets its turn now, so late.</summary>
    public void Begin(string backend, TimeSpan late)
    {
        if (late > Late)
        {
            Tidy();
            _behind.GetOrAdd(backend, static _ => new()).LateAt = time.GetTimestamp();
        }
    }

    /// <summary>An attempt at the backend has come to its end.</summary>
    public void End(string backend)
    {
        if (_behind.TryGetValue(backend, out var behind))
        {
            behind.End();
        }
    }

    /// <summary>
    /// Whether a secret may be issued at the backend: at once where nothing is behind there, else when it has its share.
    /// False: not within the time that one waits.
    /// </summary>
    public async ValueTask<bool> AwaitAsync(string backend, CancellationToken cancellationToken)
    {
        if (!_behind.TryGetValue(backend, out var behind))
        {
            return true;
        }

        var since = time.GetTimestamp();
        while (LeftOf(behind) is var left && left > TimeSpan.Zero)
        {
            var wait = LongestWait - time.GetElapsedTime(since);
            if (wait <= TimeSpan.Zero)
            {
                return false;
            }

            if (await behind.TakeAsync(left < wait ? left : wait, time, cancellationToken))
            {
                return true;
            }
        }

        return true;
    }

    private TimeSpan LeftOf(Backend behind) => Lasts - time.GetElapsedTime(behind.LateAt);

    private void Tidy()
    {
        if (_behind.Count < MaxBackends)
        {
            return;
        }

        foreach (var (name, behind) in _behind)
        {
            if (LeftOf(behind) <= TimeSpan.Zero)
            {
                _behind.TryRemove(name, out _);
            }
        }
    }

    private sealed class Backend
    {
        private readonly Lock _lock = new();
        private readonly Queue<TaskCompletionSource> _waiting = new();
        private long _lateAt;
        private int _ended;

        /// <summary>When the last late turn was, by the monotonic clock.</summary>
        public long LateAt
        {
            get => Volatile.Read(ref _lateAt);
            set => Volatile.Write(ref _lateAt, value);
        }

        /// <summary>Lets in whoever has waited longest. Where nobody waits, one share is kept and no more.</summary>
        public void End()
        {
            lock (_lock)
            {
                _ended = Math.Min(_ended + 1, AttemptsOfASecret);
                while (_ended == AttemptsOfASecret && _waiting.TryDequeue(out var first))
                {
                    _ended = first.TrySetResult() ? 0 : _ended;
                }
            }
        }

        public async ValueTask<bool> TakeAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
        {
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock)
            {
                if (_ended == AttemptsOfASecret)
                {
                    _ended = 0;
                    return true;
                }

                _waiting.Enqueue(waiter);
            }

            await using var over = time.CreateTimer(
                static waiter => ((TaskCompletionSource)waiter!).TrySetCanceled(),
                waiter,
                atMost,
                Timeout.InfiniteTimeSpan
            );
            await using var given = cancellationToken.UnsafeRegister(
                static (waiter, _) => ((TaskCompletionSource)waiter!).TrySetCanceled(CancellationToken.None),
                waiter
            );
            await ((Task)waiter.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return waiter.Task.IsCompletedSuccessfully;
        }
    }
}
