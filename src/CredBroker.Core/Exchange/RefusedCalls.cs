using System.Collections.Concurrent;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Exchange;

/// <summary>
/// Records calls that were refused before their caller was verified: one by one up to a rate per source, then counted, so that a flood of garbage neither fills the log
/// nor goes unseen. Sources are bounded too; beyond that they share one count.
/// </summary>
public sealed partial class RefusedCalls(IBrokerStore store, TimeProvider time, ILogger<RefusedCalls> logger)
{
    private const int RecordedPerMinute = 30;
    private const int MaxSources = 1000;
    private const string OtherSources = "other sources";

    private readonly ConcurrentDictionary<string, Window> windows = new(StringComparer.Ordinal);

    /// <summary>Records or counts one refused call. Never throws for a store that does not accept: the refusal stands without its record.</summary>
    public async ValueTask RecordAsync(Refusal refusal, CallContext call, CancellationToken cancellationToken)
    {
        var source = windows.ContainsKey(call.Source) || windows.Count < MaxSources ? call.Source : OtherSources;
        if (!windows.GetOrAdd(source, static _ => new()).TryRecord(time.GetUtcNow()))
        {
            return;
        }

        await CommitAsync(
            new()
            {
                Type = AuditEventTypes.RequestRefused,
                Actor = new("unverified", "", source),
                Reason = refusal.CodeText,
                TraceId = call.TraceId,
            },
            cancellationToken);
    }

    /// <summary>Writes what was counted since the last time, one event for all sources. Called each minute.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var counted = new List<(string Source, long Count)>();
        foreach (var (source, window) in windows)
        {
            if (window.TakeCount() is > 0 and var count)
            {
                counted.Add((source, count));
            }

            if (window.IsIdle(time.GetUtcNow()))
            {
                windows.TryRemove(source, out _);
            }
        }

        if (counted.Count > 0)
        {
            await CommitAsync(
                new()
                {
                    Type = AuditEventTypes.RequestsRefusedCounted,
                    Actor = AuditActor.Broker("refused-calls"),
                    Details = LeaseDetails.Object(writer =>
                    {
                        writer.WriteNumber("total", counted.Sum(item => item.Count));
                        writer.WriteStartObject("bySource");
                        foreach (var (source, count) in counted.OrderByDescending(item => item.Count).Take(20))
                        {
                            writer.WriteNumber(source, count);
                        }

                        writer.WriteEndObject();
                    }),
                },
                cancellationToken);
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
        private readonly Lock gate = new();
        private DateTimeOffset start;
        private int recorded;
        private long counted;

        public bool TryRecord(DateTimeOffset now)
        {
            lock (gate)
            {
                if (now - start >= TimeSpan.FromMinutes(1))
                {
                    (start, recorded) = (now, 0);
                }

                if (recorded < RecordedPerMinute)
                {
                    recorded++;
                    return true;
                }

                counted++;
                return false;
            }
        }

        public long TakeCount() => Interlocked.Exchange(ref counted, 0);

        public bool IsIdle(DateTimeOffset now)
        {
            lock (gate)
            {
                return counted == 0 && now - start > TimeSpan.FromMinutes(5);
            }
        }
    }
}
