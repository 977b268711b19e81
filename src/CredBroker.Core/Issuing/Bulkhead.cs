namespace CredBroker.Core.Issuing;

/// <summary>
/// Keeps few calls open to one backend, in the order of their lanes, and none for a while once it does not answer: what
/// waits for a backend that is away must hold up nobody else, in the broker or in Vault.
/// <para>
/// Three calls in a row without an answer pause it. Then one call at a time tries it, after a pause that doubles each
/// time; the first answer opens it again. An error is an answer. The last lane leaves a place for the others, and all of
/// them leave <paramref name="forFirst"/> for the first.
/// </para>
/// </summary>
public sealed class Bulkhead(
    int limit,
    int lanes,
    TimeSpan longestPause,
    TimeProvider time,
    SharedPlaces? shared = null,
    int forFirst = 0
)
{
    private const int UnansweredUntilPause = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiter, (int Lane, long Order)> _waiting = new();
    private readonly int[] _inLane = new int[lanes];
    private long _order;
    private int _open;
    private int _unanswered;
    private TimeSpan _pause = FirstPause;

    // By the monotonic clock: a wall clock that jumps must not pause a backend for days.
    private long _pausedAt;
    private TimeSpan _pausedFor;

    /// <summary>How long it is paused still; null while it is not.</summary>
    public TimeSpan? Paused
    {
        get
        {
            lock (_lock)
            {
                return IsPaused ? Max(PauseLeft, TimeSpan.FromSeconds(1)) : null;
            }
        }
    }

    /// <summary>Whether nothing is open or waits.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock)
            {
                return _open == 0 && _waiting.Count == 0 && _unanswered == 0;
            }
        }
    }

    /// <summary>Whether no more than so many are open, and there is no place for another.</summary>
    public bool IsFullWith(int open)
    {
        lock (_lock)
        {
            return _open <= open && (_open >= limit || shared?.HasRoom(isFirst: _open == 0) is false);
        }
    }

    /// <summary>
    /// How many more calls of this lane are worth beginning now: as many wait as may be open, so that the next goes in as
    /// soon as one comes out. None while half of those wait still, so that they are looked for many at a time.
    /// </summary>
    public int Room(int lane)
    {
        lock (_lock)
        {
            var room = 2 * LimitOf(lane) - _inLane[lane];
            return room < (LimitOf(lane) + 1) / 2 ? 0 : Math.Min(Allowed, room);
        }
    }

    /// <summary>
    /// How many may be begun, however many wait: none while it is paused or the others have taken all that there is, one
    /// while it is tried, any number else.
    /// </summary>
    public int Allowed
    {
        get
        {
            lock (_lock)
            {
                if (_open == 0 && shared?.HasRoom(isFirst: true) is false)
                {
                    return 0;
                }

                if (_unanswered < UnansweredUntilPause)
                {
                    return int.MaxValue;
                }

                return IsPaused || _inLane.Sum() > 0 ? 0 : 1;
            }
        }
    }

    /// <summary>
    /// A place for one call, or null: the backend is paused, so many wait already that waiting is of no use, or the
    /// caller's time was over first.
    /// </summary>
    public ValueTask<Pass?> EnterAsync(int lane, CancellationToken cancellationToken, int maxWaiting = 10_000)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (Take(lane) is { } pass)
            {
                return new(pass);
            }

            // With nothing open, a pause that has just ended or the others kept it out: nobody would let in what waits.
            if (IsAway || _open == 0 || _waiting.Count >= maxWaiting)
            {
                return default;
            }

            _inLane[lane]++;
            waiter = new(lane);
            _waiting.Enqueue(waiter, (lane, _order++));
        }

        return WaitAsync(waiter, cancellationToken);
    }

    /// <summary>A place for one call, where there is one at once.</summary>
    public Pass? TryEnter(int lane)
    {
        lock (_lock)
        {
            return Take(lane);
        }
    }

    private Pass? Take(int lane)
    {
        if (IsAway || _open >= LimitOf(lane) || IsAheadWaiting(lane) || !TakeShared())
        {
            return null;
        }

        _inLane[lane]++;
        _open++;
        return new Pass(this, lane);
    }

    private async ValueTask<Pass?> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        var lane = waiter.Lane;
        await using (cancellationToken.UnsafeRegister(static state => ((Waiter)state!).TrySetResult(false), waiter))
        {
            if (await waiter.Task)
            {
                return new Pass(this, lane);
            }
        }

        lock (_lock)
        {
            _inLane[lane]--;
        }

        return null;
    }

    /// <summary>Paused, or tried by one call, whose answer nobody waits for.</summary>
    private bool IsAway => IsPaused || (_unanswered >= UnansweredUntilPause && _open > 0);

    private bool IsPaused => _unanswered >= UnansweredUntilPause && PauseLeft > TimeSpan.Zero;

    private TimeSpan PauseLeft => _pausedFor - time.GetElapsedTime(_pausedAt);

    private int LimitOf(int lane) => lane == 0 ? limit : Math.Max(1, limit - forFirst - (lane == lanes - 1 ? 1 : 0));

    private bool IsAheadWaiting(int lane) => _waiting.TryPeek(out _, out var first) && first.Lane <= lane;

    private void Leave(int lane)
    {
        lock (_lock)
        {
            _open--;
            _inLane[lane]--;
            shared?.Give(isLast: _open == 0);
            LetIn();
        }
    }

    private void Hear(bool answered)
    {
        lock (_lock)
        {
            if (answered)
            {
                (_unanswered, _pause) = (0, FirstPause);
            }
            else if (++_unanswered >= UnansweredUntilPause && PauseLeft <= TimeSpan.Zero)
            {
                (_pausedAt, _pausedFor) = (time.GetTimestamp(), _pause);
                _pause = _pause * 2 < longestPause ? _pause * 2 : longestPause;
            }

            LetIn();
        }
    }

    private bool TakeShared() => shared?.TryTake(isFirst: _open == 0) is not false;

    /// <summary>
    /// The next ones, up to the limit; once the backend is paused, nobody waits for it, nor where nothing of it is open and
    /// the others have taken all that there is.
    /// </summary>
    private void LetIn()
    {
        var isAway = _unanswered >= UnansweredUntilPause;
        while (_waiting.TryPeek(out var next, out _) && (isAway || _open < LimitOf(next.Lane)))
        {
            var isTaken = !isAway && TakeShared();
            if (!isTaken && !isAway && _open > 0)
            {
                return;
            }

            _waiting.Dequeue();
            if (!next.TrySetResult(isTaken))
            {
                // It had given up by itself.
                if (isTaken)
                {
                    shared?.Give(isLast: _open == 0);
                }
            }
            else if (isTaken)
            {
                _open++;
            }
        }
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>A place for one call. It is given back when this is disposed.</summary>
    public sealed class Pass : IDisposable
    {
        private readonly Bulkhead _owner;
        private readonly int _lane;
        private bool _isMissed;
        private int _isLeft;

        internal Pass(Bulkhead owner, int lane) => (_owner, _lane) = (owner, lane);

        /// <summary>
        /// Says whether the backend answered; unsaid, the call tells nothing of it. An answer may be missed first, and
        /// come all the same.
        /// </summary>
        public void Say(bool answered)
        {
            if (answered || !_isMissed)
            {
                _isMissed = !answered;
                _owner.Hear(answered);
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, 1) == 0)
            {
                _owner.Leave(_lane);
            }
        }
    }

    private sealed class Waiter(int lane)
        : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public int Lane => lane;
    }
}
