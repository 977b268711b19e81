using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Callers;

/// <summary>
/// Records calls that were refused before their caller was verified: one by one up to a rate per source, then counted,
/// so that a flood of garbage neither fills the log nor goes unseen. Sources are bounded too; beyond that they share
/// one count.
/// </summary>
public sealed partial class RefusedCalls(IBrokerStore store, TimeProvider time, ILogger<RefusedCalls> logger)
{
    private const int RecordedPerMinute = 30;
    private const int MaxSources = 1000;
    private const string OtherSources = "other sources";

    private readonly ConcurrentDictionary<string, Window> _windows = new(StringComparer.Ordinal);

    /// <summary>
    /// Records or counts one refused call. Never throws for a store that does not accept: the refusal stands without
    /// its record.
    /// </summary>
    public async ValueTask RecordAsync(Refusal refusal, CallContext call, CancellationToken cancellationToken)
    {
        var source = _windows.ContainsKey(call.Source) || _windows.Count < MaxSources ? call.Source : OtherSources;
        if (!_windows.GetOrAdd(source, static _ => new()).TryRecord(time.GetUtcNow()))
        {
            return;
        }

        await CommitAsync(
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
        foreach (var (source, window) in _windows)
        {
            if (window.TakeCount() is > 0 and var count)
            {
                counted.Add((source, count));
            }

            if (window.IsIdle(time.GetUtcNow()))
            {
                _windows.TryRemove(source, out _);
            }
        }

        if (counted.Count > 0)
        {
            await CommitAsync(
                new()
                {
                    What = new RequestsRefusedCounted { BySource = counted },
                    Actor = AuditActor.Broker("refused-calls"),
                },
                cancellationToken
            );
        }
    }

    private async ValueTask CommitAsync(AuditEvent refused, CancellationToken cancellationToken)
    {
        try
        {
            await store.CommitAsync(new StateChange.EventRecorded { Event = refused }, cancellationToken);
        }
        catch (StoreUnavailableException fault)
        {
            LogNotRecorded(logger, fault);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A refused call could not be recorded.")]
    private static partial void LogNotRecorded(ILogger logger, Exception fault);

    private sealed class Window
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _start;
        private int _recorded;
        private long _counted;

        public bool TryRecord(DateTimeOffset now)
        {
            lock (_gate)
            {
                if (now - _start >= TimeSpan.FromMinutes(1))
                {
                    (_start, _recorded) = (now, 0);
                }

                if (_recorded < RecordedPerMinute)
                {
                    _recorded++;
                    return true;
                }

                _counted++;
                return false;
            }
        }

        public long TakeCount() => Interlocked.Exchange(ref _counted, 0);

        public bool IsIdle(DateTimeOffset now)
        {
            lock (_gate)
            {
                return _counted == 0 && now - _start > TimeSpan.FromMinutes(5);
            }
        }
    }
}
