using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Access;

namespace CredBroker.Storage.Sql.Notifications;

/// <summary>What is to be sent outside: put there with what it tells, taken up, settled.</summary>
internal static class SqlNotificationStore
{
    /// <summary>Puts one there for the addresses of the settings, and one for each that a caller has named; due at once.</summary>
    public static void Add(
        SqlSession session,
        string approvalId,
        NotificationKind kind,
        string by = "",
        string reason = ""
    )
    {
        AddFor(session, approvalId, kind, null, by, reason);
        // Nobody can have named one before it was asked; and whom else it asks is no answer of people's.
        foreach (
            var callback in kind is NotificationKind.Asked or NotificationKind.Escalated
                ? []
                : SqlCallbackStore.For(session, approvalId, kind)
        )
        {
            AddFor(session, approvalId, kind, callback, by, reason);
        }
    }

    /// <summary>Puts one there for one such address, or for those of the settings.</summary>
    public static void AddFor(
        SqlSession session,
        string approvalId,
        NotificationKind kind,
        NotificationCallback? callback,
        string by = "",
        string reason = ""
    ) =>
        session.Write(
            """
            INSERT INTO notification (id, approval, kind, at, said_by, reason, due_at, callback, callback_state)
            VALUES (@id, @approval, @kind, @now, @said_by, @reason, @now, @callback, @callback_state)
            """,
            ("@id", $"msg_{Approval.NewId()}"),
            ("@approval", approvalId),
            ("@kind", ColumnValue.From(kind)),
            ("@now", session.NowColumn),
            ("@said_by", by),
            ("@reason", reason),
            ("@callback", callback?.Endpoint),
            ("@callback_state", callback?.State ?? "")
        );

    /// <summary>Takes one up.</summary>
    public static ChangeResult Take(SqlSession session, StateChange.NotificationTaken change) =>
        session.Execute(
            """
            UPDATE notification SET attempts = attempts + 1, due_at = @until
            WHERE id = @id AND attempts = @attempts AND failed_at IS NULL AND due_at <= @now
            """,
            ("@id", change.NotificationId),
            ("@attempts", change.Attempts),
            ("@now", session.NowColumn),
            ("@until", session.NowColumn + (long)change.For.TotalMilliseconds)
        ) == 1
            ? ChangeResult.Done with
            {
                IsRecorded = false,
            }
            : GuardFailure.WrongState;

    /// <summary>Says what became of it.</summary>
    public static ChangeResult Settle(SqlSession session, StateChange.NotificationSettled change)
    {
        var isOver = change is { Again: null, Error: "" };
        var changed = isOver
            ? session.Execute(
                "DELETE FROM notification WHERE id = @id AND attempts = @attempts AND failed_at IS NULL",
                ("@id", change.NotificationId),
                ("@attempts", change.Attempts)
            )
            : session.Execute(
                """
                UPDATE notification SET sent_to = @sent_to, error = @error, due_at = @due, failed_at = @failed
                WHERE id = @id AND attempts = @attempts AND failed_at IS NULL
                """,
                ("@id", change.NotificationId),
                ("@attempts", change.Attempts),
                ("@sent_to", JsonSerializer.Serialize([.. change.SentTo], StateJson.Default.StringArray)),
                ("@error", change.Error),
                ("@due", session.NowColumn + (long)(change.Again?.TotalMilliseconds ?? 0)),
                ("@failed", change.Again is null ? session.NowColumn : (long?)null)
            );
        if (changed != 1)
        {
            return GuardFailure.WrongState;
        }

        return change.Event is null ? ChangeResult.Done with { IsRecorded = false } : ChangeResult.Done;
    }

    /// <summary>What is kept too long leaves the store.</summary>
    public static ChangeResult Drop(SqlSession session, StateChange.NotificationsDropped change) =>
        ChangeResult.Done with
        {
            Number =
                session.Execute(
                    """
                    DELETE FROM notification WHERE number IN (
                      SELECT number FROM notification WHERE failed_at < @before AND failed_at IS NOT NULL LIMIT @limit)
                    """,
                    ("@before", ColumnValue.From(change.FailedBefore)),
                    ("@limit", change.Limit)
                )
                + session.Execute(
                    """
                    DELETE FROM notification WHERE number IN (
                      SELECT number FROM notification
                      WHERE at < @before AND failed_at IS NULL LIMIT @limit)
                    """,
                    ("@before", ColumnValue.From(change.AskedBefore)),
                    ("@limit", change.Limit)
                ),
            IsRecorded = false,
        };

    /// <summary>After the clock was set back: what the wrong time put off is due.</summary>
    public static void DrawBack(SqlSession session)
    {
        session.Execute("UPDATE notification SET due_at = @now WHERE failed_at IS NULL", ("@now", session.NowColumn));
        session.Execute("UPDATE notification SET at = @now WHERE at > @now", ("@now", session.NowColumn));
        session.Execute(
            "UPDATE notification SET failed_at = @now WHERE failed_at IS NOT NULL AND failed_at > @now",
            ("@now", session.NowColumn)
        );
    }
}
