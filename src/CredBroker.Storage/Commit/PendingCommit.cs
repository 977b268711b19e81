using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>
/// One change on its way to the writer. What can be made without knowing its place is made on the caller's thread; a
/// change that cannot be written fails there.
/// </summary>
internal sealed class PendingCommit : TaskCompletionSource<CommitOutcome>
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;
    private readonly PreparedChange _one;
    private readonly PreparedChange[]? _several;
    private int _stage;

    /// <exception cref="ArgumentException">
    /// No event tells the change, an event's details are no JSON object, or it is too long.
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
            if (prepared.EventBody is not null)
            {
                return;
            }
        }

        throw new ArgumentException("Nothing is changed without an event that tells it.", nameof(change));
    }

    /// <summary>What is committed together, in its order: nearly always one.</summary>
    public ReadOnlySpan<PreparedChange> Changes => _several ?? new ReadOnlySpan<PreparedChange>(in _one);

    /// <summary>What kind of change it is, for a log line.</summary>
    public string Names => string.Join(" and ", Changes.ToArray().Select(prepared => prepared.Change.GetType().Name));

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
