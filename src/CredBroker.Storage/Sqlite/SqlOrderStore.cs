using System.Text.Json;
using CredBroker.Core;
using CredBroker.Core.Leases;
using Dapper;
using Microsoft.Data.Sqlite;

namespace CredBroker.Storage.Sqlite;

/// <summary>Revocation orders: the fence rows.</summary>
internal static class SqlOrderStore
{
    private const string Columns =
        "id AS Id, selector AS Selector, cause AS Cause, reason AS Reason, "
        + "requested_by AS RequestedBy, requested_at AS RequestedAt, fence AS Fence, enumerated_at AS EnumeratedAt";

    /// <summary>
    /// Whether an order committed after the fence reaches the lease. Without a newer order, which is nearly always,
    /// nothing is read.
    /// </summary>
    public static bool IsFenced(WriteSession session, Lease lease, long fence) =>
        fence < session.Head.Fence
        && session
            .ReadAll(
                "SELECT selector FROM revocation_order WHERE fence > $fence",
                row => row.Text(0),
                ("$fence", fence)
            )
            .Exists(selector => Selector(selector).Matches(lease));

    /// <summary>Commits the fence row.</summary>
    public static Applied Insert(WriteSession session, RevocationOrder order)
    {
        var fence = session.Head.Fence + 1;
        session.Execute(
            """
            INSERT INTO revocation_order (fence, id, selector, cause, reason, requested_by, requested_at)
            VALUES ($fence, $id, $selector, $cause, $reason, $requested_by, $requested_at)
            """,
            ("$fence", fence),
            ("$id", order.Id),
            ("$selector", JsonSerializer.Serialize(order.Selector, CoreJson.Default.LeaseSelector)),
            ("$cause", Column.From(order.Cause)),
            ("$reason", order.Reason),
            ("$requested_by", order.RequestedBy),
            ("$requested_at", Column.From(order.RequestedAt))
        );
        session.Head = session.Head with { Fence = fence };
        return Applied.Done with { Number = fence };
    }

    /// <summary>Every lease of the order is claimed.</summary>
    public static Applied Enumerated(WriteSession session, StateChange.RevocationEnumerated change)
    {
        if (
            session.Execute(
                "UPDATE revocation_order SET enumerated_at = $now WHERE id = $id AND enumerated_at IS NULL",
                ("$id", change.RevocationId),
                ("$now", session.NowColumn)
            ) == 1
        )
        {
            return Applied.Done;
        }

        return
            session.ReadFirst(
                "SELECT fence FROM revocation_order WHERE id = $id",
                row => row.Number(0),
                ("$id", change.RevocationId)
            ) == 0
            ? GuardFailure.NotFound
            : GuardFailure.WrongState;
    }

    public static RevocationOrder? Find(SqliteConnection connection, string id) =>
        connection
            .QueryFirstOrDefault<Row>($"SELECT {Columns} FROM revocation_order WHERE id = @id", new { id })
            ?.ToOrder();

    public static IReadOnlyList<RevocationOrder> FindOpen(SqliteConnection connection) =>
        [
            .. connection
                .Query<Row>($"SELECT {Columns} FROM revocation_order WHERE enumerated_at IS NULL ORDER BY fence")
                .Select(row => row.ToOrder()),
        ];

    private static LeaseSelector Selector(string json) =>
        JsonSerializer.Deserialize(json, CoreJson.Default.LeaseSelector)!;

    private sealed class Row
    {
        public required string Id { get; init; }

        public required string Selector { get; init; }

        public required string Cause { get; init; }

        public required string Reason { get; init; }

        public required string RequestedBy { get; init; }

        public long RequestedAt { get; init; }

        public long Fence { get; init; }

        public long? EnumeratedAt { get; init; }

        public RevocationOrder ToOrder() =>
            new()
            {
                Id = Id,
                Selector = SqlOrderStore.Selector(Selector),
                Cause = Column.Cause(Cause)!.Value,
                Reason = Reason,
                RequestedBy = RequestedBy,
                RequestedAt = Column.Time(RequestedAt),
                Fence = Fence,
                EnumeratedAt = Column.Time(EnumeratedAt),
            };
    }
}
