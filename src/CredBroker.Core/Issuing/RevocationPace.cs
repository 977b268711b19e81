using System.Collections.Concurrent;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Issuing;

/// <summary>
/// Keeps what is issued from outrunning what is revoked. The two share the store, Vault and the machine, and whoever asks
/// waits for nothing but its own answer, so that enough who ask would leave what has ended no share. A backend is behind
/// while first attempts there get their turn later than <see cref="Late"/> after they were due. Then one secret is issued
/// there for every two attempts that end; whoever asks waits for that, a little, and is refused then. Few wait, each caller
/// once, so that one who asks for very much takes neither all shares nor the room of those who ask for something else. A
/// backend that is away has no turns, and so is not behind: it has a pause, which is another matter.
/// </summary>
public sealed class RevocationPace(TimeProvider time)
{
    /// <summary>How late a first attempt may get its turn before issuing slows down.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a backend is behind after the last late turn.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromSeconds(1);

    /// <summary>How long one who asks waits.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    /// <summary>How many wait for one backend.</summary>
    public const int MostWaiting = 64;

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

    /// <summary>An attempt at the backend has come to its end, whatever became of it.</summary>
    public void End(string backend)
    {
        if (_behind.TryGetValue(backend, out var behind))
        {
            behind.End();
        }
    }

    /// <summary>
    /// Whether a secret may be issued at the backend: at once where nothing is behind there, else when it has its share.
    /// False: not within the time that one waits, or too many wait already, the caller among them.
    /// </summary>
    /// <param name="backend">Where.</param>
    /// <param name="identity">Who asks: one running copy of a workload.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<bool> AwaitAsync(
        string backend,
        WorkloadIdentity identity,
        CancellationToken cancellationToken
    )
    {
        if (!_behind.TryGetValue(backend, out var behind) || LeftOf(behind) <= TimeSpan.Zero)
        {
            return true;
        }

        var caller = new Caller(identity.Issuer, identity.Subject, identity.Instance);
        if (behind.Enter(caller) is not { } waiter)
        {
            return false;
        }

        try
        {
            var since = time.GetTimestamp();
            while (true)
            {
                var (left, wait) = (LeftOf(behind), LongestWait - time.GetElapsedTime(since));
                if (waiter.Task.IsCompleted || left <= TimeSpan.Zero)
                {
                    return true;
                }

                if (wait <= TimeSpan.Zero)
                {
                    return false;
                }

                await ((Task)waiter.Task.WaitAsync(left < wait ? left : wait, time, cancellationToken)).ConfigureAwait(
                    ConfigureAwaitOptions.SuppressThrowing
                );
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            behind.Leave(caller, waiter);
        }
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

    private readonly record struct Caller(string Issuer, string Subject, string Instance);

    private sealed class Backend
    {
        private readonly Lock _lock = new();
        private readonly HashSet<Caller> _callers = [];
        private readonly LinkedList<TaskCompletionSource> _waiting = new();
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
                Share();
            }
        }

        /// <summary>Begins to wait for a share, or has it; null: there is no room to wait.</summary>
        public TaskCompletionSource? Enter(Caller caller)
        {
            lock (_lock)
            {
                if (_callers.Count >= MostWaiting || !_callers.Add(caller))
                {
                    return null;
                }

                var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.AddLast(waiter);
                Share();
                return waiter;
            }
        }

        /// <summary>Waits no longer.</summary>
        public void Leave(Caller caller, TaskCompletionSource waiter)
        {
            lock (_lock)
            {
                _callers.Remove(caller);
                _waiting.Remove(waiter);
            }
        }

        private void Share()
        {
            if (_ended == AttemptsOfASecret && _waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                _ended = 0;
                first.Value.SetResult();
            }
        }
    }
}
