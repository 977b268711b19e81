using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Storage.Sql.Notifications;

namespace CredBroker.Storage.Sql.Access;

/// <summary>
/// Addresses that are told what becomes of a question to people because who submitted it has named them: put there with
/// the submission, told with each change, gone with the question's end.
/// </summary>
internal static class SqlCallbackStore
{
    /// <summary>
    /// Puts one there; what has failed where there is no room. What has become of the question already is told at once:
    /// others were told before anybody named this address.
    /// </summary>
    public static GuardFailure? Add(SqlSession session, string approvalId, AccessCallback callback)
    {
        var there = Read(session, approvalId);
        if (there.Count >= AccessCallback.MaxPerQuestion)
        {
            return GuardFailure.TooManyCallbacks;
        }

        var state = session.ReadFirst(
            "SELECT state FROM approval WHERE id = @id",
            row => Enum.Parse<ApprovalState>(row.Text(0), ignoreCase: true) as ApprovalState?,
            ("@id", approvalId)
        );
        if (Told(state) is { } kind && Takes(callback.Events, kind))
        {
            SqlNotificationStore.AddFor(session, approvalId, kind, new(callback.Endpoint, callback.State));
        }

        if (state is null or ApprovalState.Pending or ApprovalState.Approved)
        {
            session.Execute(
                """
                INSERT INTO access_callback (approval, endpoint, events, state)
                VALUES (@approval, @endpoint, @events, @state)
                """,
                ("@approval", approvalId),
                ("@endpoint", callback.Endpoint),
                ("@events", JsonSerializer.Serialize(Names(callback.Events), StateJson.Default.StringArray)),
                ("@state", callback.State)
            );
        }

        return null;
    }

    /// <summary>Who wants to be told this of the question.</summary>
    public static IEnumerable<NotificationCallback> For(SqlSession session, string approvalId, NotificationKind kind) =>
        Read(session, approvalId)
            .Where(callback => Takes(callback.Events, kind))
            .Select(callback => new NotificationCallback(callback.Endpoint, callback.State));

    /// <summary>The question is over: nothing becomes of it any more.</summary>
    public static void Forget(SqlSession session, string approvalId) =>
        session.Write("DELETE FROM access_callback WHERE approval = @approval", ("@approval", approvalId));

    // Null where it is not there yet, as it is asked in the same transaction.
    private static NotificationKind? Told(ApprovalState? state) =>
        state switch
        {
            ApprovalState.Approved or ApprovalState.Redeemed => NotificationKind.Approved,
            ApprovalState.Denied => NotificationKind.Denied,
            ApprovalState.Expired => NotificationKind.Expired,
            ApprovalState.Voided => NotificationKind.Voided,
            _ => null,
        };

    private static bool Takes(IReadOnlyList<NotificationKind> events, NotificationKind kind) =>
        events.Count == 0 || events.Contains(kind);

    private static List<AccessCallback> Read(SqlSession session, string approvalId) =>
        session.ReadAll(
            "SELECT endpoint, events, state FROM access_callback WHERE approval = @approval ORDER BY number",
            row => new AccessCallback
            {
                Endpoint = row.Text(0),
                Events = Kinds(row.Text(1)),
                State = row.Text(2),
            },
            ("@approval", approvalId)
        );

    private static string[] Names(IReadOnlyList<NotificationKind> kinds) =>
        [.. kinds.Select(kind => ColumnValue.From(kind))];

    // One that somebody damaged is told of all.
    private static NotificationKind[] Kinds(string column)
    {
        try
        {
            return
            [
                .. (JsonSerializer.Deserialize(column, StateJson.Default.StringArray) ?? []).Select(name =>
                    Enum.Parse<NotificationKind>(name, ignoreCase: true)
                ),
            ];
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return [];
        }
    }
}
