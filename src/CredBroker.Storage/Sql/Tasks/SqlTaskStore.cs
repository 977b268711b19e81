using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Approvals;

namespace CredBroker.Storage.Sql.Tasks;

/// <summary>Tasks: opened by the first lease, owned by its workload, closed once and for all.</summary>
internal static class SqlTaskStore
{
    /// <summary>Reads one task, by <c>@process</c> and <c>@id</c>.</summary>
    private const string FindText =
        "SELECT issuer, workload, closed_at FROM task WHERE process = @process AND id = @id";

    private static readonly SqlRows OpenText = new(
        """
        INSERT INTO task (process, id, issuer, workload, opened_at)
        VALUES (@process, @id, @issuer, @workload, @now)
        """,
        """
        INSERT INTO task (process, id, issuer, workload, opened_at)
        SELECT process, id, issuer, workload, now FROM rows
        """
    );

    /// <summary>The owner of a task that an admin closed before anybody opened it.</summary>
    private static readonly TaskOwner Nobody = new("", "");

    /// <summary>Says that <see cref="FindRefusal"/> will read it.</summary>
    public static void Foresee(SqlSession session, AgentTask task) =>
        session.Foresee(FindText, Read, ("@process", task.Process), ("@id", task.Id));

    /// <summary>
    /// Why the workload cannot join the task; null where it can, and <see cref="Join"/> then opens it, if it is new. In two,
    /// so that a change looks at all that may refuse it before it writes.
    /// </summary>
    public static GuardFailure? FindRefusal(SqlSession session, AgentTask task, TaskOwner owner) =>
        Find(session, task.Process, task.Id) switch
        {
            null => null,
            // Who does not own it learns nothing of its state.
            var found when !found.IsOwnedBy(owner) => GuardFailure.TaskOwnedByAnother,
            { IsClosed: true } => GuardFailure.TaskClosed,
            _ => null,
        };

    /// <summary>Opens the task for the workload, unless it is there already. Nothing may refuse the change any more.</summary>
    public static void Join(SqlSession session, AgentTask task, TaskOwner owner)
    {
        if (Find(session, task.Process, task.Id) is null)
        {
            session.Write(
                OpenText,
                ("@process", task.Process),
                ("@id", task.Id),
                ("@issuer", owner.Issuer),
                ("@workload", owner.Workload),
                ("@now", session.NowColumn)
            );
            session.Know(FindText, new Row(owner, IsClosed: false), ("@process", task.Process), ("@id", task.Id));
        }
    }

    /// <summary>Enters a task as closed, so that its id is never used.</summary>
    public static ChangeResult Bar(SqlSession session, StateChange.TaskBarred change) =>
        session.Execute(
            """
            INSERT INTO task (process, id, issuer, workload, opened_at, closed_at, closed_by)
            VALUES (@process, @id, @issuer, @workload, @now, @now, @closed_by)
            ON CONFLICT DO NOTHING
            """,
            ("@process", change.Process),
            ("@id", change.TaskId),
            ("@issuer", (change.Owner ?? Nobody).Issuer),
            ("@workload", (change.Owner ?? Nobody).Workload),
            ("@now", session.NowColumn),
            ("@closed_by", change.ClosedBy)
        ) == 1
            ? ChangeResult.Done
            : GuardFailure.WrongState;

    /// <summary>Closes the task.</summary>
    public static ChangeResult Close(SqlSession session, StateChange.TaskClosed change)
    {
        if (Find(session, change.Process, change.TaskId) is not { } found)
        {
            return GuardFailure.NotFound;
        }

        if (change.Owner is not null && !found.IsOwnedBy(change.Owner))
        {
            return GuardFailure.TaskOwnedByAnother;
        }

        if (found.IsClosed)
        {
            return GuardFailure.TaskClosed;
        }

        session.Execute(
            "UPDATE task SET closed_at = @now, closed_by = @closed_by WHERE process = @process AND id = @id",
            ("@process", change.Process),
            ("@id", change.TaskId),
            ("@now", session.NowColumn),
            ("@closed_by", change.ClosedBy)
        );
        SqlTimeBoxStore.EndReached(
            session,
            new() { Process = change.Process, Task = change.TaskId },
            "task-closed",
            change.Event
        );
        return ChangeResult.Done;
    }

    private static Row? Find(SqlSession session, string process, string id) =>
        session.ReadFirst(FindText, Read, ("@process", process), ("@id", id));

    private static Row Read(SqlStatement row) => new(new(row.Text(0), row.Text(1)), !row.IsNull(2));

    private sealed record Row(TaskOwner Owner, bool IsClosed)
    {
        public bool IsOwnedBy(TaskOwner owner) => Owner == owner || Owner == Nobody;
    }
}
