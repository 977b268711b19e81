using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Policies;

/// <inheritdoc cref="IPolicyReader"/>
internal sealed class SqlPolicyReader(SqlReads reads) : IPolicyReader
{
    public async ValueTask<AppliedPolicyRecord?> FindNewestAsync(CancellationToken cancellationToken) =>
        (
            await reads.FirstAsync<PolicyRow>(
                PolicyRow.Select + " ORDER BY version DESC LIMIT 1",
                null,
                cancellationToken
            )
        )?.ToRecordOrDamaged();

    public async ValueTask<AppliedPolicyRecord?> FindNextAsync(long after, CancellationToken cancellationToken) =>
        (
            await reads.FirstAsync<PolicyRow>(
                PolicyRow.Select + " WHERE version > @after ORDER BY version LIMIT 1",
                new { after },
                cancellationToken
            )
        )?.ToRecordOrDamaged();

    public async ValueTask<AppliedPolicyRecord?> FindAsync(long version, CancellationToken cancellationToken) =>
        (
            await reads.FirstAsync<PolicyRow>(
                PolicyRow.Select + " WHERE version = @version",
                new { version },
                cancellationToken
            )
        )?.ToRecordOrDamaged();

    public ValueTask<long?> FindVersionOfAsync(string hash, CancellationToken cancellationToken) =>
        reads.FirstAsync<long?>(
            "SELECT max(version) FROM policy_version WHERE hash = @hash",
            new { hash },
            cancellationToken
        );

    public async ValueTask<IReadOnlyList<AppliedPolicyRecord>> ListAsync(
        long before,
        int limit,
        CancellationToken cancellationToken
    ) =>
        [
            .. (
                await reads.AllAsync<PolicyRow>(
                    PolicyRow.SelectWithoutText + " WHERE version < @before ORDER BY version DESC LIMIT @limit",
                    new { before, limit },
                    cancellationToken
                )
            ).Select(row => row.ToRecord()),
        ];
}
