using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// One change on its way to the writer. What can be made without knowing its place is made on the caller's thread; a
/// change that cannot be written fails there.
/// </summary>
internal sealed class PendingCommit : TaskCompletionSource<CommitOutcome>
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;
    private int _stage;

    /// <exception cref="ArgumentException">The event's details are no JSON object, or it is too long.</exception>
    public PendingCommit(StateChange change)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        Change = change;
        DecisionJson = change switch
        {
            StateChange.LeaseOpened opened => JsonSerializer.SerializeToUtf8Bytes(
                opened.Lease.Decision,
                StateJson.Default.DecisionRecord
            ),
            StateChange.RequestDenied denied => JsonSerializer.SerializeToUtf8Bytes(
                denied.Decision,
                StateJson.Default.DecisionRecord
            ),
            _ => default,
        };
        EventBody = AuditRecordWriter.WriteBody(change.Event, DecisionJson);
    }

    public StateChange Change { get; }

    /// <summary>
    /// The decision record, serialized once for its row and, where the event brings no details of its own, for the
    /// audit record.
    /// </summary>
    public ReadOnlyMemory<byte> DecisionJson { get; }

    public byte[] EventBody { get; }

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
