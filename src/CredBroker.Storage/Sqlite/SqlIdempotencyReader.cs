using CredBroker.Core.State;

namespace CredBroker.Storage.Sqlite;

/// <inheritdoc cref="IIdempotencyReader"/>
internal sealed class SqlIdempotencyReader(SqliteFile file, StoreClock clock) : IIdempotencyReader
{
    public ValueTask<IdempotencyRecord?> FindAsync(
        string callerKey,
        string idempotencyKey,
        CancellationToken cancellationToken
    ) =>
        file.ReadAsync(
            connection => SqlIdempotencyStore.Find(connection, callerKey, idempotencyKey, clock.Now()),
            cancellationToken
        );
}
