using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// The record of what people do that no operation of Core records by itself: what they look at. The first look of each
/// kind in its minute is recorded, with its query; repetitions (a table that is refreshed, an order that is waited for)
/// are counted, so that reading does not flood the log. So are refusals above a rate.
/// </summary>
internal sealed class PeopleActions(IBrokerStore store, RefusedCalls refusedCalls, TimeProvider time)
{
    private const int RecordedPerMinute = 30;
    private const int EachPerMinute = 120;

    // What is counted is told apart so far; beyond it only the calls are.
    private const int ToldApart = 200;

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
        var look = LookOf(person, query);
        if (IsCounted(person.Actor, look))
        {
            return;
        }

        await CommitAsync(person, look, null, cancellationToken);
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
    /// Records each such call by itself: for what is rare and weighs much. Null, or where there are too many of a
    /// person's to put on record, the refusal of this one.
    /// </summary>
    public async ValueTask<Refusal?> RecordEachAsync(
        CallingPerson person,
        QueryString query,
        CancellationToken cancellationToken
    )
    {
        if (TakeOne(person.Actor) is { } wait)
        {
            return new(
                RefusalCode.Overloaded,
                $"No more than {EachPerMinute} such calls a minute are taken of one person: each is put on record.",
                wait
            );
        }

        await CommitAsync(person, LookOf(person, query), null, cancellationToken);
        return null;
    }

    /// <summary>
    /// Records that a person was refused: for want of a role, or of what the call is about. Whoever hangs up does not
    /// keep that off the record.
    /// </summary>
    public async ValueTask RecordRefusedAsync(CallingPerson person, Refusal refusal)
    {
        if (refusedCalls.IsRecorded(person.Actor))
        {
            await CommitAsync(person, LookOf(person, default), refusal.CodeText, CancellationToken.None);
        }
    }

    /// <summary>Writes what was counted since the last time, one event for each person. Called each minute.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var actor in WithCounts())
        {
            var (counts, isRecorded) = (TakeCounts(actor), false);
            try
            {
                await store.CommitAsync(
                    new StateChange.EventRecorded
                    {
                        Event = new()
                        {
                            What = new AdminReadsCounted { Reads = [.. counts.Select(c => (c.Key, c.Value))] },
                            Actor = actor,
                        },
                    },
                    cancellationToken
                );
                isRecorded = true;
            }
            catch (StoreUnavailableException)
            {
                // The store says so itself.
            }
            finally
            {
                if (!isRecorded)
                {
                    // Whatever kept them off the record: they are written with the next ones.
                    PutBack(actor, counts);
                }
            }
        }
    }

    private bool IsCounted(AuditActor actor, AdminAction look)
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

            window.Count(look, 1);
            return true;
        }
    }

    private void Remember(AuditActor actor, AdminAction look)
    {
        lock (_gate)
        {
            Opened(actor).Recorded.Add(look);
        }
    }

    /// <summary>Of whom something was counted; who has done nothing for a while is forgotten.</summary>
    private List<AuditActor> WithCounts()
    {
        lock (_gate)
        {
            foreach (var (actor, window) in _windows)
            {
                if (window.Counted.Count == 0 && time.GetElapsedTime(window.Began) >= Minute)
                {
                    _windows.Remove(actor);
                }
            }

            return [.. _windows.Where(window => window.Value.Counted.Count > 0).Select(window => window.Key)];
        }
    }

    private Dictionary<AdminAction, long> TakeCounts(AuditActor actor)
    {
        lock (_gate)
        {
            var window = Opened(actor);
            var counted = window.Counted;
            window.Counted = [];
            return counted;
        }
    }

    private void PutBack(AuditActor actor, Dictionary<AdminAction, long> counts)
    {
        lock (_gate)
        {
            var window = Opened(actor);
            foreach (var (look, count) in counts)
            {
                window.Count(look, count);
            }
        }
    }

    /// <summary>Null where this one may be recorded by itself, or how long none may.</summary>
    private TimeSpan? TakeOne(AuditActor actor)
    {
        lock (_gate)
        {
            var window = Opened(actor);
            return window.Each++ < EachPerMinute ? null : Minute - time.GetElapsedTime(window.Began);
        }
    }

    private Window Opened(AuditActor actor)
    {
        if (!_windows.TryGetValue(actor, out var window))
        {
            _windows.Add(actor, window = new() { Began = time.GetTimestamp() });
        }
        else if (time.GetElapsedTime(window.Began) >= Minute)
        {
            (window.Began, window.Each) = (time.GetTimestamp(), 0);
            window.Recorded.Clear();
        }

        return window;
    }

    private static AdminAction LookOf(CallingPerson person, QueryString query) =>
        new()
        {
            Call = person.Operation,
            Id = person.About,
            Query = query.HasValue ? query.Value : null,
        };

    private async ValueTask CommitAsync(
        CallingPerson person,
        AdminAction what,
        string? reason,
        CancellationToken cancellationToken
    ) =>
        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    What = what,
                    Actor = person.Actor,
                    Reason = reason,
                    TraceId = person.Call.TraceId,
                },
            },
            cancellationToken
        );

    private sealed class Window
    {
        public required long Began { get; set; }

        public HashSet<AdminAction> Recorded { get; } = [];

        /// <summary>How many were recorded that are recorded each.</summary>
        public int Each { get; set; }

        public Dictionary<AdminAction, long> Counted { get; set; } = [];

        public void Count(AdminAction look, long count)
        {
            var told = Counted.ContainsKey(look) || Counted.Count < ToldApart ? look : new() { Call = look.Call };
            Counted[told] = Counted.GetValueOrDefault(told) + count;
        }
    }
}
