using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <inheritdoc cref="ILeaseReader"/>
internal sealed class SqlLeaseReader(SqliteFile file, StoreClock clock, ILogger logger) : ILeaseReader
{
    public ValueTask<Lease?> FindAsync(string leaseId, CancellationToken cancellationToken) =>
        file.ReadAsync(connection => SqlLeaseQueries.Find(connection, leaseId), cancellationToken);

    public ValueTask<LeasePage> ListAsync(LeaseQuery query, CancellationToken cancellationToken) =>
        file.ReadAsync(connection => SqlLeaseQueries.List(connection, query, logger), cancellationToken);

    public ValueTask<IReadOnlyList<Lease>> FindWorkAsync(
        LeaseWork work,
        DateTimeOffset dueBefore,
        int limit,
        CancellationToken cancellationToken
    ) =>
        file.ReadAsync(
            connection => SqlLeaseQueries.FindWork(connection, work, dueBefore, limit, clock.Now(), logger),
            cancellationToken
        );

    public ValueTask<IReadOnlySet<string>> FindKnownVaultLeasesAsync(
        IReadOnlyCollection<string> vaultLeaseIds,
        CancellationToken cancellationToken
    ) =>
        file.ReadAsync(
            connection => SqlLeaseQueries.FindKnownVaultLeases(connection, vaultLeaseIds),
            cancellationToken
        );
}
