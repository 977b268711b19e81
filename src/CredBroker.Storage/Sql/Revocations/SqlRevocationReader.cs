using System.Text.Json;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sql.Revocations;

/// <inheritdoc cref="IRevocationReader"/>
internal sealed partial class SqlRevocationReader(SqlReads reads, ILogger logger) : IRevocationReader
{
    private const int RowsAtOnce = 100;

    private const string Select = """
        SELECT id AS Id, selector AS Selector, cause AS Cause, reason AS Reason, requested_by AS RequestedBy,
          requested_at AS RequestedAt, fence AS Fence, enumerated_at AS EnumeratedAt,
          not_searched AS NotSearched
        FROM revocation_order
        """;

    private readonly DamageSaid _damage = new();

    public async ValueTask<RevocationOrder?> FindAsync(string revocationId, CancellationToken cancellationToken)
    {
        var row = await reads.FirstAsync<Row>($"{Select} WHERE id = @id", new { id = revocationId }, cancellationToken);
        try
        {
            return row?.ToOrder();
        }
        catch (InvalidDataException e)
        {
            throw new StoreUnavailableException($"The store does not answer: {e.Message}", e);
        }
    }

    public async ValueTask<(IReadOnlyList<RevocationOrder> Orders, long? Next)> ListAsync(
        long below,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var rows = await reads.AllAsync<Row>(
            $"{Select} WHERE fence < @below ORDER BY fence DESC LIMIT @limit",
            new { below, limit },
            cancellationToken
        );
        return ([.. Readable(rows)], rows.Count == limit ? rows[^1].Fence : null);
    }

    public async ValueTask<IReadOnlyList<RevocationOrder>> FindByPrefixAsync(
        string idPrefix,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var rows = await reads.AllAsync<Row>(
            $"{Select} WHERE id >= @prefix AND id < @beyond ORDER BY id DESC LIMIT @limit",
            new
            {
                prefix = idPrefix,
                beyond = ColumnValue.BeyondIds(idPrefix),
                limit,
            },
            cancellationToken
        );
        return [.. Readable(rows)];
    }

    public async ValueTask<IReadOnlyList<RevocationOrder>> FindOpenAsync(
        int limit,
        Predicate<string> isWanted,
        CancellationToken cancellationToken
    )
    {
        var orders = new List<RevocationOrder>();
        for (var (offset, found) = (0, RowsAtOnce); found == RowsAtOnce && orders.Count < limit; offset += RowsAtOnce)
        {
            var rows = await reads.AllAsync<Row>(
                $"{Select} WHERE enumerated_at IS NULL ORDER BY cause = 'task-closed', fence LIMIT @limit OFFSET @offset",
                new { limit = RowsAtOnce, offset },
                cancellationToken
            );
            orders.AddRange(Readable(rows.Where(row => isWanted(row.Id))));
            found = rows.Count;
        }

        return [.. orders.Take(limit)];
    }

    public async ValueTask<IReadOnlyList<(long Fence, LeaseSelector? Selector)>> ListSelectorsAsync(
        long fence,
        CancellationToken cancellationToken
    ) =>
        [
            .. (
                await reads.AllAsync<SelectorRow>(
                    "SELECT fence AS Fence, selector AS Selector FROM revocation_order WHERE fence > @fence ORDER BY fence",
                    new { fence },
                    cancellationToken
                )
            ).Select(row => (row.Fence, SqlOrderStore.TryReadSelector(row.Selector))),
        ];

    // One row that somebody damaged must not stop all other orders.
    private IEnumerable<RevocationOrder> Readable(IEnumerable<Row> rows)
    {
        foreach (var row in rows)
        {
            RevocationOrder? order = null;
            try
            {
                order = row.ToOrder();
            }
            catch (InvalidDataException e)
            {
                if (_damage.IsNew(row.Id, e.Message))
                {
                    LogUnreadable(logger, e, row.Id);
                }
            }

            if (order is not null)
            {
                yield return order;
            }
        }
    }

    [LoggerMessage(
        EventId = 5107,
        Level = LogLevel.Critical,
        Message = "Revocation order {RevocationId} cannot be read and is not carried out. Order it again"
    )]
    private static partial void LogUnreadable(ILogger logger, Exception exception, string revocationId);

    private sealed class SelectorRow
    {
        public long Fence { get; init; }

        public required string Selector { get; init; }
    }

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

        public string? NotSearched { get; init; }

        /// <exception cref="InvalidDataException">The row does not hold an order any more.</exception>
        public RevocationOrder ToOrder()
        {
            try
            {
                return Read();
            }
            catch (Exception e)
            {
                // Whatever a damaged record makes those throw who read it.
                throw new InvalidDataException($"Order {Id} cannot be read: {e.Message}", e);
            }
        }

        private RevocationOrder Read() =>
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
                NotSearched = NotSearched is null
                    ? null
                    : JsonSerializer.Deserialize(NotSearched, StateJson.Default.NotSearchedArray),
            };
    }
}
