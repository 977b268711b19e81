using CredBroker.Core.State;

namespace CredBroker.Storage.Sqlite;

/// <inheritdoc cref="IPolicyReader"/>
internal sealed class SqlPolicyReader(SqliteFile file) : IPolicyReader
{
    public ValueTask<AppliedPolicyRecord?> FindNewestAsync(CancellationToken cancellationToken) =>
        file.ReadAsync(SqlPolicyStore.FindNewest, cancellationToken);
}
