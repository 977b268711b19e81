using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Idempotency;

/// <inheritdoc cref="IIdempotencyReader"/>
internal sealed class SqlIdempotencyReader(SqlReads reads, StoreClock clock) : IIdempotencyReader
{
    public async ValueTask<IdempotencyRecord?> FindAsync(
        string callerKey,
        string idempotencyKey,
        CancellationToken cancellationToken
    )
    {
        var row = await reads.FirstAsync<(string? Hash, string Lease)>(
            """
            SELECT request_hash, lease FROM idempotency
            WHERE caller_key = @callerKey AND key = @idempotencyKey AND at > @oldest
            """,
            new
            {
                callerKey,
                idempotencyKey,
                oldest = ColumnValue.From(clock.Now()) - SqlIdempotencyStore.Life,
            },
            cancellationToken
        );
        return row.Hash is null ? null : new(row.Hash, row.Lease);
    }
}
