using System.Collections.Concurrent;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Callers;

/// <summary>
/// How often one verified caller may do a thing that costs the store a commit, so that one of them alone can neither
/// fill it (by number or by size) nor keep others waiting. A caller is counted by the minute, and its bytes by the day,
/// too; callers beyond the bound share one count.
/// </summary>
internal sealed class CallerBudget(int perMinute, TimeProvider time, int bytesPerMinute = int.MaxValue)
{
    private const int MaxCallers = 10_000;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Window> _callers = new(StringComparer.Ordinal);

    /// <summary>How a caller is called here and where it is counted: all its instances together.</summary>
    public static string NameOf(WorkloadIdentity caller) => $"{caller.Issuer}#{caller.Subject}";

    /// <summary>Takes one of so many bytes; null, or how long there is none left.</summary>
    public TimeSpan? Take(WorkloadIdentity caller, int bytes = 0)
    {
        var now = time.GetUtcNow();
        if (_callers.Count >= MaxCallers)
        {
            foreach (var (other, window) in _callers)
            {
                if (window.IsOver(now))
                {
                    _callers.TryRemove(other, out _);
                }
            }
        }

        var name = NameOf(caller);
        var counted = _callers.ContainsKey(name) || _callers.Count < MaxCallers ? name : "";
        return _callers.GetOrAdd(counted, static _ => new()).Take(now, perMinute, bytes, bytesPerMinute);
    }

    private sealed class Window
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _start;
        private int _taken;
        private int _bytes;
        private readonly DayAllowance _day = new(DayAllowance.OfACaller);

        public bool IsOver(DateTimeOffset now)
        {
            lock (_gate)
            {
                return now - _start >= Minute && _day.IsWhole(now);
            }
        }

        public TimeSpan? Take(DateTimeOffset now, int limit, int bytes, int bytesLimit)
        {
            lock (_gate)
            {
                if (now - _start >= Minute || now < _start)
                {
                    (_start, _taken, _bytes) = (now, 0, 0);
                }

                if (_taken >= limit || bytes > bytesLimit - _bytes)
                {
                    return _start + Minute - now;
                }

                if (_day.Spend(now, bytes) is { } wait)
                {
                    return wait;
                }

                _taken++;
                _bytes += bytes;
                return null;
            }
        }
    }
}
