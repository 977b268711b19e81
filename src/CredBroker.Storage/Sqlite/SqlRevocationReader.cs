using CredBroker.Core.State;

namespace CredBroker.Storage.Sqlite;

/// <inheritdoc cref="IRevocationReader"/>
internal sealed class SqlRevocationReader(SqliteFile file) : IRevocationReader
{
    public ValueTask<RevocationOrder?> FindAsync(string revocationId, CancellationToken cancellationToken) =>
        file.ReadAsync(connection => SqlOrderStore.Find(connection, revocationId), cancellationToken);

    public ValueTask<IReadOnlyList<RevocationOrder>> FindOpenAsync(CancellationToken cancellationToken) =>
        file.ReadAsync(SqlOrderStore.FindOpen, cancellationToken);
}
