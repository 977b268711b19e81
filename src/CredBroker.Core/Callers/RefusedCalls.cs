using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Callers;

/// <summary>
/// Records calls that were refused: one by one up to a rate, then counted, so that a flood neither fills the log nor
/// goes unseen. Before their caller was verified the rate is the source's, which is bounded too; afterwards the denials
/// of each caller, agent or person, have a rate of their own, and are committed with the rest of what they concern by
/// whoever denies. Sources and callers beyond a bound share one count; all sources together have a rate, too, and the
/// denials of a caller a size, by the minute and by the day, as what it asked for is part of their record.
/// </summary>
public sealed partial class RefusedCalls(IBrokerStore store, TimeProvider time, ILogger<RefusedCalls> logger)
{
    private const int RecordedPerMinute = 30;
    private const int RecordedOfAllPerMinute = 600;
    private const int DenialsPerMinute = 300;
    private const int DenialBytesPerMinute = 1024 * 1024;
    private const int MaxSources = 1000;
    private const string OtherSources = "other sources";
    private const string OtherCallers = "other callers";

    private readonly ConcurrentDictionary<string, Window> _windows = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Window> _callers = new(StringComparer.Ordinal);
    private readonly Window _allSources = new();

    /// <summary>
    /// Whether a denial of this verified caller, whose record has so many bytes, is recorded by itself. Where it is not,
    /// it has been counted.
    /// </summary>
    public bool IsRecorded(WorkloadIdentity caller, int bytes) =>
        WindowOf(_callers, CallerBudget.NameOf(caller), OtherCallers)
            .TryRecord(time.GetUtcNow(), DenialsPerMinute, bytes);

    /// <summary>Whether what a verified person was refused is recorded by itself. If not, it has been counted.</summary>
    public bool IsRecorded(AuditActor person) =>
        WindowOf(_callers, person.ToString(), OtherCallers).TryRecord(time.GetUtcNow(), RecordedPerMinute);

    /// <summary>
    /// Records or counts one refused call. Never throws for a store that does not accept: the refusal stands without
    /// its record.
    /// </summary>
    public async ValueTask RecordAsync(Refusal refusal, CallContext call, CancellationToken cancellationToken)
    {
        var source = _windows.ContainsKey(call.Source) || _windows.Count < MaxSources ? call.Source : OtherSources;
        var window = WindowOf(_windows, call.Source, OtherSources);
        if (!window.TryRecord(time.GetUtcNow(), RecordedPerMinute))
        {
            return;
        }

        // Sources cost nothing where addresses are many.
        if (!_allSources.TryRecord(time.GetUtcNow(), RecordedOfAllPerMinute))
        {
            window.Count(1);
            return;
        }

        await TryCommitAsync(
            new()
            {
                What = new RequestRefused(),
                Actor = new("unverified", "", source),
                Reason = refusal.CodeText,
                TraceId = call.TraceId,
            },
            cancellationToken
        );
    }

    /// <summary>Writes what was counted since the last time, one event for all sources. Called each minute.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var counted = new List<(string Source, long Count)>();
        var taken = new List<(Window Window, long Count)>();
        foreach (var windows in new[] { _windows, _callers })
        {
            foreach (var (source, window) in windows)
            {
                if (window.IsIdle(time.GetUtcNow()))
                {
                    windows.TryRemove(source, out _);
                }
                else if (window.TakeCount() is > 0 and var count)
                {
                    counted.Add((source, count));
                    taken.Add((window, count));
                }
            }
        }

        if (counted.Count == 0)
        {
            return;
        }

        var isRecorded = false;
        try
        {
            isRecorded = await TryCommitAsync(
                new()
                {
                    What = new RequestsRefusedCounted { BySource = counted },
                    Actor = AuditActor.Broker("refused-calls"),
                },
                cancellationToken
            );
        }
        finally
        {
            if (!isRecorded)
            {
                // Whatever kept them off the record: they are counted with the next ones.
                foreach (var (window, count) in taken)
                {
                    window.Count(count);
                }
            }
        }
    }

    private static Window WindowOf(ConcurrentDictionary<string, Window> windows, string name, string others) =>
        windows.GetOrAdd(windows.ContainsKey(name) || windows.Count < MaxSources ? name : others, static _ => new());

    private async ValueTask<bool> TryCommitAsync(AuditEvent refused, CancellationToken cancellationToken)
    {
        try
        {
            await store.CommitAsync(new StateChange.EventRecorded { Event = refused }, cancellationToken);
            return true;
        }
        catch (StoreUnavailableException fault)
        {
            LogNotRecorded(logger, fault);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A refused call could not be recorded.")]
    private static partial void LogNotRecorded(ILogger logger, Exception fault);

    private sealed class Window
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _start;
        private int _recorded;
        private int _bytes;
        private long _counted;
        private readonly DayAllowance _day = new(DayAllowance.OfACaller);

        public bool TryRecord(DateTimeOffset now, int perMinute, int bytes = 0)
        {
            lock (_gate)
            {
                if (now - _start >= TimeSpan.FromMinutes(1))
                {
                    (_start, _recorded, _bytes) = (now, 0, 0);
                }

                if (_recorded < perMinute && bytes <= DenialBytesPerMinute - _bytes && _day.Spend(now, bytes) is null)
                {
                    _recorded++;
                    _bytes += bytes;
                    return true;
                }

                _counted++;
                return false;
            }
        }

        public long TakeCount()
        {
            lock (_gate)
            {
                var count = _counted;
                _counted = 0;
                return count;
            }
        }

        public void Count(long count)
        {
            lock (_gate)
            {
                _counted += count;
            }
        }

        public bool IsIdle(DateTimeOffset now)
        {
            lock (_gate)
            {
                return _counted == 0 && now - _start > TimeSpan.FromMinutes(5) && _day.IsWhole(now);
            }
        }
    }
}
