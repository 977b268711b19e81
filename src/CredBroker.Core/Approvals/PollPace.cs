using System.Collections.Concurrent;

namespace CredBroker.Core.Approvals;

/// <summary>
/// How often a question may be looked at: who looks sooner than told is told to wait longer, and the longer wait stays
/// (as in RFC 8628). One waits for a question at a time; and of all, only so many.
/// </summary>
internal sealed class PollPace(TimeProvider time)
{
    /// <summary>How long an agent waits between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private const int MaxWaiting = 128;
    private const int MaxKnown = 4 * State.Approval.MaxOpen;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, Pace> _paces = new(StringComparer.Ordinal);
    private int _waiting;

    /// <summary>
    /// Counts a look. <c>IsTooSoon</c> where it came sooner than told; <c>Waits</c> where the look may wait for news, and
    /// then <see cref="End"/> has to be called.
    /// </summary>
    public (TimeSpan Interval, bool IsTooSoon, bool Waits) Begin(string approvalId, bool wantsToWait)
    {
        if (_paces.Count >= MaxKnown)
        {
            foreach (var (id, other) in _paces)
            {
                if (other.IsForgotten(time.GetTimestamp(), time))
                {
                    _paces.TryRemove(id, out _);
                }
            }
        }

        var pace = _paces.GetOrAdd(approvalId, static _ => new());
        lock (pace.Gate)
        {
            var waits = wantsToWait && !pace.IsWaiting && TryTakePlace();
            // One that is to wait and cannot is answered at once, and would come again at once.
            var isTooSoon =
                !waits
                && (
                    wantsToWait
                    || pace.IsWaiting
                    || (pace.Last is { } last && time.GetElapsedTime(last) < pace.Interval)
                );
            pace.Last = time.GetTimestamp();
            pace.IsWaiting |= waits;
            if (isTooSoon)
            {
                pace.Interval = pace.Interval + Step < MaxInterval ? pace.Interval + Step : MaxInterval;
            }

            return (pace.Interval, isTooSoon, waits);
        }
    }

    private bool TryTakePlace()
    {
        if (Interlocked.Increment(ref _waiting) <= MaxWaiting)
        {
            return true;
        }

        Interlocked.Decrement(ref _waiting);
        return false;
    }

    /// <summary>The look that waited is answered.</summary>
    public void End(string approvalId)
    {
        Interlocked.Decrement(ref _waiting);
        if (_paces.TryGetValue(approvalId, out var pace))
        {
            lock (pace.Gate)
            {
                (pace.IsWaiting, pace.Last) = (false, time.GetTimestamp());
            }
        }
    }

    private sealed class Pace
    {
        public Lock Gate { get; } = new();

        public long? Last { get; set; }

        public TimeSpan Interval { get; set; } = PollPace.Interval;

        public bool IsWaiting { get; set; }

        public bool IsForgotten(long now, TimeProvider time)
        {
            lock (Gate)
            {
                return !IsWaiting && Last is { } last && time.GetElapsedTime(last, now) > Forgotten;
            }
        }
    }
}
