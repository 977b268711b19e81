using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Approvals;

namespace CredBroker.Storage.Sql.Epochs;

/// <summary>Epochs: what begins with a new one, and how far the newest is anchored.</summary>
internal static class SqlEpochStore
{
    public static ChangeResult Open(SqlSession session, StateChange.EpochOpened change)
    {
        if (
            session.Execute(
                "UPDATE store SET epoch = @epoch, anchored = 0 WHERE epoch = @expected AND epoch < @epoch",
                ("@epoch", change.Epoch),
                ("@expected", change.Expected)
            ) == 0
        )
        {
            return GuardFailure.WrongState;
        }

        // Whoever makes a secret for one of these finds that it is revoking, and takes the secret back.
        foreach (
            var (lease, process, task, credential) in session.ReadAll(
                "SELECT id, process, task, credential FROM lease WHERE state = 'pending' ORDER BY id",
                row => (row.Text(0), row.Text(1), row.Text(2), row.Text(3))
            )
        )
        {
            session.Execute(
                """
                UPDATE lease SET state = 'revoking', cause = @cause, requested_by = @requested_by,
                  revocation_requested_at = @now, claimed_by = NULL, claimed_until = NULL, confirmed_at = NULL
                WHERE id = @id
                """,
                ("@id", lease),
                ("@cause", ColumnValue.From(RevocationCause.Recovery)),
                ("@requested_by", change.RequestedBy),
                ("@now", session.NowColumn)
            );
            session.Tell(
                new()
                {
                    What = new RevocationRequested(),
                    Actor = change.Event!.Actor,
                    LeaseId = lease,
                    Process = process,
                    TaskId = task,
                    Credential = credential,
                    Reason = ColumnValue.From(RevocationCause.Recovery),
                    TraceId = change.Event.TraceId,
                }
            );
        }

        SqlApprovalStore.VoidAll(session, "new-epoch", change.Event!);
        SqlTimeBoxStore.EndAll(session, "new-epoch", change.Event!);
        session.Execute("DELETE FROM idempotency");
        return ChangeResult.Done;
    }

    public static ChangeResult Anchored(SqlSession session, StateChange.AnchorWritten change) =>
        change.VaultChangedAt == session.Head.VaultChangedAt
        && session.Execute(
            "UPDATE store SET anchored = @serial WHERE epoch = @epoch AND anchored < @serial",
            ("@serial", change.Serial),
            ("@epoch", change.Epoch)
        ) == 1
            ? ChangeResult.Done
            : GuardFailure.WrongState;
}
