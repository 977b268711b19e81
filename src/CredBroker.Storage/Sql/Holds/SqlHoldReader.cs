using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Holds;

/// <inheritdoc cref="IHoldReader"/>
internal sealed class SqlHoldReader(SqlReads reads, StoreClock clock) : IHoldReader
{
    private const string Select = """
        SELECT id AS Id, selector AS Selector, reason AS Reason, placed_by AS PlacedBy, placed_at AS PlacedAt,
          until AS Until, revocation_id AS RevocationId, lifted_at AS LiftedAt, lifted_by AS LiftedBy,
          lift_reason AS LiftReason
        FROM hold
        """;

    public async ValueTask<Hold?> FindAsync(string holdId, CancellationToken cancellationToken) =>
        (await reads.FirstAsync<Row>($"{Select} WHERE id = @id", new { id = holdId }, cancellationToken))?.ToHold();

    public async ValueTask<IReadOnlyList<Hold>> ListInForceAsync(CancellationToken cancellationToken) =>
        [
            .. (
                await reads.AllAsync<Row>(
                    $"{Select}{reads.UseIndex("hold_in_force")} WHERE {SqlHoldStore.InForce} ORDER BY number DESC",
                    new { now = ColumnValue.From(clock.Now()) },
                    cancellationToken
                )
            ).Select(row => row.ToHold()),
        ];

    public async ValueTask<bool> IsHeldAsync(
        DecisionRecord decision,
        string leaseId,
        CancellationToken cancellationToken
    ) =>
        (
            await reads.AllAsync<string>(
                $"SELECT selector FROM hold WHERE {SqlHoldStore.InForce}",
                new { now = ColumnValue.From(clock.Now()) },
                cancellationToken
            )
        ).Exists(selector => SqlHoldStore.Selector(selector).Matches(decision, leaseId));

    private sealed class Row
    {
        public required string Id { get; init; }

        public required string Selector { get; init; }

        public required string Reason { get; init; }

        public required string PlacedBy { get; init; }

        public long PlacedAt { get; init; }

        public long? Until { get; init; }

        public string? RevocationId { get; init; }

        public long? LiftedAt { get; init; }

        public string? LiftedBy { get; init; }

        public string? LiftReason { get; init; }

        public Hold ToHold() =>
            new()
            {
                Id = Id,
                Selector = SqlHoldStore.Selector(Selector),
                Reason = Reason,
                PlacedBy = PlacedBy,
                PlacedAt = ColumnValue.Time(PlacedAt),
                Until = ColumnValue.Time(Until),
                RevocationId = RevocationId,
                LiftedAt = ColumnValue.Time(LiftedAt),
                LiftedBy = LiftedBy,
                LiftReason = LiftReason,
            };
    }
}
