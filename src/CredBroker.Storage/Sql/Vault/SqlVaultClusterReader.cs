using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Vault;

/// <inheritdoc cref="IVaultClusterReader"/>
internal sealed class SqlVaultClusterReader(SqlReads reads) : IVaultClusterReader
{
    public async ValueTask<AcceptedCluster?> FindAsync(CancellationToken cancellationToken)
    {
        var row = await reads.FirstAsync<(string? Cluster, long? ChangedAt, string? Installation, string? Namespace)>(
            "SELECT cluster, changed_at, installation, namespace FROM vault_cluster",
            null,
            cancellationToken
        );
        return row.Cluster is null
            ? null
            : new(
                row.Cluster,
                row.ChangedAt is { } at ? ColumnValue.Time(at) : null,
                row.Installation is { } installation ? new(installation, row.Namespace ?? "") : null
            );
    }
}
