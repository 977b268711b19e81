using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Revocations;

/// <inheritdoc cref="IRevocationReader"/>
internal sealed class SqlRevocationReader(SqlReads reads) : IRevocationReader
{
    private const string Select = """
        SELECT id AS Id, selector AS Selector, cause AS Cause, reason AS Reason, requested_by AS RequestedBy,
          requested_at AS RequestedAt, fence AS Fence, enumerated_at AS EnumeratedAt
        FROM revocation_order
        """;

    public async ValueTask<RevocationOrder?> FindAsync(string revocationId, CancellationToken cancellationToken) =>
        (
            await reads.FirstAsync<Row>($"{Select} WHERE id = @id", new { id = revocationId }, cancellationToken)
        )?.ToOrder();

    public async ValueTask<IReadOnlyList<RevocationOrder>> FindOpenAsync(CancellationToken cancellationToken) =>
        [
            .. (
                await reads.AllAsync<Row>(
                    $"{Select} WHERE enumerated_at IS NULL ORDER BY fence",
                    null,
                    cancellationToken
                )
            ).Select(row => row.ToOrder()),
        ];

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
                Cause = ColumnValue.Cause(Cause)!.Value,
                Reason = Reason,
                RequestedBy = RequestedBy,
                RequestedAt = ColumnValue.Time(RequestedAt),
                Fence = Fence,
                EnumeratedAt = ColumnValue.Time(EnumeratedAt),
            };
    }
}
