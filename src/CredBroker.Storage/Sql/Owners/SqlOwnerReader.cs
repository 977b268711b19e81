using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Owners;

/// <inheritdoc cref="IOwnerReader"/>
internal sealed class SqlOwnerReader(SqlReads reads) : IOwnerReader
{
    public async ValueTask<IReadOnlyList<OwnerRetirement>> ListRetiredAsync(CancellationToken cancellationToken) =>
        [
            .. (
                await reads.AllAsync<Row>(
                    """
                    SELECT issuer AS Issuer, subject AS Subject, reason AS Reason, retired_by AS RetiredBy,
                      retired_at AS RetiredAt
                    FROM owner_retirement WHERE reinstated_at IS NULL ORDER BY number DESC LIMIT @limit
                    """,
                    new { limit = OwnerRetirement.Max },
                    cancellationToken
                )
            ).Select(row => row.ToRetirement()),
        ];

    private sealed class Row
    {
        public required string Issuer { get; init; }

        public required string Subject { get; init; }

        public required string Reason { get; init; }

        public required string RetiredBy { get; init; }

        public long RetiredAt { get; init; }

        public OwnerRetirement ToRetirement() =>
            new()
            {
                Issuer = Issuer,
                Subject = Subject,
                Reason = Reason,
                RetiredBy = RetiredBy,
                RetiredAt = ColumnValue.Time(RetiredAt),
            };
    }
}
