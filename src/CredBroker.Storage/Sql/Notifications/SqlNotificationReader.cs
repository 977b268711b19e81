using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Notifications;

/// <inheritdoc cref="INotificationReader"/>
internal sealed class SqlNotificationReader(SqlReads reads, StoreClock clock) : INotificationReader
{
    public async ValueTask<IReadOnlyList<Notification>> FindDueAsync(int limit, CancellationToken cancellationToken) =>
        [
            .. (
                await reads.AllAsync<Row>(
                    $"""
                    SELECT id AS Id, approval AS Approval, kind AS Kind, at AS At, said_by AS SaidBy, reason AS Reason,
                      attempts AS Attempts, sent_to AS SentTo, callback AS Callback, callback_state AS CallbackState
                    FROM notification{reads.UseIndex("notification_due")}
                    WHERE failed_at IS NULL AND due_at <= @now ORDER BY attempts > 0, due_at LIMIT @limit
                    """,
                    new { now = ColumnValue.From(clock.Now()), limit },
                    cancellationToken
                )
            ).Select(row => row.ToNotification()),
        ];

    public async ValueTask<long> CountFailedAsync(CancellationToken cancellationToken) =>
        await reads.FirstAsync<long>(
            $"""
            SELECT count(*) FROM notification{reads.UseIndex("notification_failed")} WHERE failed_at IS NOT NULL
            """,
            null,
            cancellationToken
        );

    private sealed class Row
    {
        public required string Id { get; init; }

        public required string Approval { get; init; }

        public required string Kind { get; init; }

        public long At { get; init; }

        public required string SaidBy { get; init; }

        public required string Reason { get; init; }

        public long Attempts { get; init; }

        public required string SentTo { get; init; }

        public string? Callback { get; init; }

        public required string CallbackState { get; init; }

        public Notification ToNotification() =>
            new()
            {
                Id = Id,
                ApprovalId = Approval,
                Kind = Enum.Parse<NotificationKind>(Kind, ignoreCase: true),
                At = ColumnValue.Time(At),
                By = SaidBy,
                Reason = Reason,
                Attempts = (int)Attempts,
                SentTo = Names(SentTo),
                Callback = Callback is null ? null : new(Callback, CallbackState),
            };

        // One that somebody damaged is sent to an address that has it once more, not to none.
        private static string[] Names(string column)
        {
            try
            {
                return JsonSerializer.Deserialize(column, StateJson.Default.StringArray) ?? [];
            }
            catch (JsonException)
            {
                return [];
            }
        }
    }
}
