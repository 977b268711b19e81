using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// The record of what people do that no operation of Core records by itself: what they look at. The first look of each
/// kind in its minute is recorded, with its query; repetitions (a table that is refreshed, an order that is waited for)
/// are counted, so that reading does not flood the log.
/// </summary>
internal sealed class PeopleActions(IBrokerStore store, TimeProvider time)
{
    private const int RecordedPerMinute = 30;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<AuditActor, Window> _windows = [];

    /// <summary>
    /// Records that a person made this call. Committed before anything is shown: what cannot be recorded does not
    /// happen.
    /// </summary>
    public ValueTask RecordAsync(CallingPerson person, CancellationToken cancellationToken) =>
        RecordAsync(person, default, cancellationToken);

    /// <summary>
    /// Records the query too. Only one that was checked: anything else in an address is not worth keeping and might be
    /// a misplaced token.
    /// </summary>
    public async ValueTask RecordAsync(CallingPerson person, QueryString query, CancellationToken cancellationToken)
    {
        var look = new Look(person.Operation ?? "", query.Value ?? "");
        if (IsCounted(person.Actor, look))
        {
            return;
        }

        await CommitAsync(person, null, query, cancellationToken);
        // Not before: whoever repeats it meanwhile is shown nothing that is not on record.
        Remember(person.Actor, look);
    }

    /// <summary>
    /// The reply that refuses a person what they asked for and might do; that they asked is on record.
    /// </summary>
    public async ValueTask<IResult> RefuseAsync(CallingPerson person, Refusal refusal)
    {
        await RecordRefusedAsync(person, refusal);
        return new Refused(refusal);
    }

    /// <summary>
    /// Records that a person was refused: for want of a role, or of what the call is about. Whoever hangs up does not
    /// keep that off the record.
    /// </summary>
    public ValueTask RecordRefusedAsync(CallingPerson person, Refusal refusal) =>
        CommitAsync(person, refusal.CodeText, default, CancellationToken.None);

    /// <summary>Writes what was counted since the last time, one event for each person. Called each minute.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var (actor, counts) in TakeCounts())
        {
            try
            {
                await store.CommitAsync(
                    new StateChange.EventRecorded
                    {
                        Event = new()
                        {
                            What = new AdminReadsCounted { ByCall = [.. counts.Select(c => (c.Key, c.Value))] },
                            Actor = actor,
                        },
                    },
                    cancellationToken
                );
            }
            catch (StoreUnavailableException)
            {
                // The store says so itself; what was counted is written when it is back.
                PutBack(actor, counts);
            }
        }
    }

    private bool IsCounted(AuditActor actor, Look look)
    {
        lock (_gate)
        {
            if (
                !_windows.TryGetValue(actor, out var window)
                || time.GetElapsedTime(window.Began) >= Minute
                || (!window.Recorded.Contains(look) && window.Recorded.Count < RecordedPerMinute)
            )
            {
                return false;
            }

            window.Counted[look.Call] = window.Counted.GetValueOrDefault(look.Call) + 1;
            return true;
        }
    }

    private void Remember(AuditActor actor, Look look)
    {
        lock (_gate)
        {
            if (!_windows.TryGetValue(actor, out var window))
            {
                _windows.Add(actor, window = new() { Began = time.GetTimestamp() });
            }
            else if (time.GetElapsedTime(window.Began) >= Minute)
            {
                window.Began = time.GetTimestamp();
                window.Recorded.Clear();
            }

            window.Recorded.Add(look);
        }
    }

    private List<(AuditActor Actor, Dictionary<string, long> Counts)> TakeCounts()
    {
        var taken = new List<(AuditActor, Dictionary<string, long>)>();
        lock (_gate)
        {
            foreach (var (actor, window) in _windows)
            {
                if (window.Counted.Count > 0)
                {
                    taken.Add((actor, window.Counted));
                    window.Counted = new(StringComparer.Ordinal);
                }
                else if (time.GetElapsedTime(window.Began) >= Minute)
                {
                    _windows.Remove(actor);
                }
            }
        }

        return taken;
    }

    private void PutBack(AuditActor actor, Dictionary<string, long> counts)
    {
        lock (_gate)
        {
            if (!_windows.TryGetValue(actor, out var window))
            {
                _windows.Add(actor, window = new() { Began = time.GetTimestamp() });
            }

            foreach (var (call, count) in counts)
            {
                window.Counted[call] = window.Counted.GetValueOrDefault(call) + count;
            }
        }
    }

    private async ValueTask CommitAsync(
        CallingPerson person,
        string? reason,
        QueryString query,
        CancellationToken cancellationToken
    ) =>
        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    What = new AdminAction { Call = person.Operation, Query = query.HasValue ? query.Value : null },
                    Actor = person.Actor,
                    Reason = reason,
                    TraceId = person.Call.TraceId,
                },
            },
            cancellationToken
        );

    private sealed record Look(string Call, string Query);

    private sealed class Window
    {
        public required long Began { get; set; }

        public HashSet<Look> Recorded { get; } = [];

        public Dictionary<string, long> Counted { get; set; } = new(StringComparer.Ordinal);
    }
}
