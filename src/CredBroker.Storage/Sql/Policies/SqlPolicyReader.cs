using System.Text.Json;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Policies;

/// <inheritdoc cref="IPolicyReader"/>
internal sealed class SqlPolicyReader(SqlReads reads) : IPolicyReader
{
    public async ValueTask<AppliedPolicyRecord?> FindNewestAsync(CancellationToken cancellationToken)
    {
        var row = await reads.FirstAsync<(long Version, string? Hash, string Document, long AppliedAt)>(
            "SELECT version, hash, document, applied_at FROM policy_version ORDER BY version DESC LIMIT 1",
            null,
            cancellationToken
        );
        return row.Hash is null
            ? null
            : new(
                row.Version,
                row.Hash,
                JsonSerializer.Deserialize(row.Document, StateJson.Default.PolicyDocument)!,
                ColumnValue.Time(row.AppliedAt)
            );
    }
}
