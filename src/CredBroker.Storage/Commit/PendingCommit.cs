using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>
/// One change that waits for the writer, and the answer its caller waits for. Whatever can be written of it before its
/// place in the log is known is written on the caller's thread, so that the one writer has less to do and a change that
/// cannot be written fails at its caller.
/// </summary>
internal sealed class PendingCommit : TaskCompletionSource<CommitOutcome>
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;
    private readonly PreparedChange _one;
    private readonly PreparedChange[]? _several;
    private readonly List<AuditEvent> _recorded = new(1);
    private int _stage;

    /// <exception cref="ArgumentException">
    /// The change has no event, an event's details are no JSON object, or it is too long.
    /// </exception>
    public PendingCommit(StateChange change)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        if (change is StateChange.All all)
        {
            _several = [.. all.Changes.Select(transition => new PreparedChange(transition))];
        }
        else
        {
            _one = new((StateChange.Transition)change);
        }

        foreach (ref readonly var prepared in Changes)
        {
            if (prepared.EventBody is not null || !prepared.IsToldNow)
            {
                return;
            }
        }

        throw new ArgumentException("Nothing is changed without an event that tells it.", nameof(change));
    }

    private PendingCommit()
        : base(TaskCreationOptions.RunContinuationsAsynchronously) => _several = [];

    /// <summary>What is committed together, in its order: nearly always one.</summary>
    public ReadOnlySpan<PreparedChange> Changes => _several ?? new ReadOnlySpan<PreparedChange>(in _one);

    /// <summary>Whether part of it does.</summary>
    /// <seealso cref="PreparedChange.EndsSecrets"/>
    public bool EndsSecrets
    {
        get
        {
            foreach (ref readonly var prepared in Changes)
            {
                if (prepared.EndsSecrets)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The events that were put on record with it; meaningful once it is committed.</summary>
    public IReadOnlyList<AuditEvent> Recorded => _recorded;

    /// <summary>What kind of change it is, for a log line.</summary>
    public string Names => string.Join(" and ", Changes.ToArray().Select(prepared => prepared.Change.GetType().Name));

    /// <summary>Changes nothing but the clock: whether the store takes a change.</summary>
    public static PendingCommit Probe() => new();

    /// <summary>Called by the writer, each time that it applies the change: nothing is on record yet.</summary>
    public void Restart() => _recorded.Clear();

    /// <summary>Called by the writer: the event was appended to the log.</summary>
    public void Record(AuditEvent told) => _recorded.Add(told);

    /// <summary>Called by the writer: from here on a cancellation comes too late.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _stage, Taken, Waiting) == Waiting;

    public void Cancel(CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _stage, Cancelled, Waiting) == Waiting)
        {
            TrySetCanceled(cancellationToken);
        }
    }
}
