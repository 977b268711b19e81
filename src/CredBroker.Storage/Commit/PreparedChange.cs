using System.Buffers;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>One transition, with its event already written as bytes.</summary>
internal readonly struct PreparedChange
{
    /// <exception cref="ArgumentException">
    /// The event's details are no JSON object, it is too long, or a lease's opening has none that can tell its decision.
    /// </exception>
    public PreparedChange(StateChange.Transition change)
    {
        Change = change;
        var decision = change switch
        {
            StateChange.LeaseOpened
            {
                Lease: var lease,
                Event: { What: { Type: RequestAllowed.TypeName, HasDetails: false } } opened
            } when opened.LeaseId == lease.Id && opened.DecisionId == lease.Decision.Id => Serialize(lease.Decision),
            // The lease's row names the event as the one place where its decision is.
            StateChange.LeaseOpened => throw new ArgumentException(
                $"The event of an opening is {RequestAllowed.TypeName}, names lease and decision, and brings no details."
            ),
            StateChange.RequestDenied denied => Serialize(denied.Decision),
            _ => [],
        };
        EventBody = change.Event is { } told ? AuditRecordWriter.WriteBody(told, decision) : null;
    }

    public StateChange.Transition Change { get; }

    /// <summary>The event's bytes; null where it has none, because another transition's event says it.</summary>
    public byte[]? EventBody { get; }

    /// <summary>
    /// Whether an event tells it when it is made: what is archived or closed long ago goes as an earlier event has told, and
    /// what an anchor says stands in Vault; a denial that is counted is told, one by one or with a minute's others, by
    /// whoever denies.
    /// </summary>
    public bool IsToldNow =>
        Change
            is not (
                StateChange.ArchivedDeleted
                or StateChange.AnchorWritten
                or StateChange.ApprovalsDropped
                or StateChange.ActivityDropped
                or StateChange.NotificationTaken
                or StateChange.NotificationSettled
                or StateChange.NotificationsDropped
                or StateChange.EvaluationNoted
                or StateChange.EvaluationUsed
                or StateChange.DenialCounted
            );

    /// <summary>
    /// Whether it ends secrets, lets their end be confirmed or keeps new ones from being made: what disk is kept for. Not
    /// what issues, denies or tells.
    /// </summary>
    public bool EndsSecrets =>
        Change
            is StateChange.RevocationOrdered { OnlyWithHold: null }
                or StateChange.RevocationEnumerated
                or StateChange.RevocationClaimed
                or StateChange.AccessorRevoked
                or StateChange.AbsenceAwaited
                or StateChange.LeaseRevoked
                or StateChange.RevocationFailed
                or StateChange.LeaseEnded
                or StateChange.HandlesRecorded
                or StateChange.LateLeaseOpened
                or StateChange.HoldPlaced { Tripwire: null }
                or StateChange.ApprovalDenied
                or StateChange.ApprovalVoided
                or StateChange.TimeBoxEnded
                or StateChange.OwnerRetired
                or StateChange.TaskClosed
                or StateChange.PolicyApplied
                or StateChange.VaultClusterAccepted;

    private static byte[] Serialize(DecisionRecord decision)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, AuditRecordWriter.Json))
        {
            JsonSerializer.Serialize(json, decision, StateJson.Default.DecisionRecord);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
