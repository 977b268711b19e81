using System.Text.Json;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Policies;

/// <inheritdoc cref="IPolicyReader"/>
internal sealed class SqlPolicyReader(SqlReads reads) : IPolicyReader
{
    public ValueTask<AppliedPolicyRecord?> FindNewestAsync(CancellationToken cancellationToken) =>
        FirstAsync(
            "SELECT version, hash, document, applied_at FROM policy_version ORDER BY version DESC LIMIT 1",
            null,
            cancellationToken
        );

    public ValueTask<AppliedPolicyRecord?> FindNextAsync(long after, CancellationToken cancellationToken) =>
        FirstAsync(
            """
            SELECT version, hash, document, applied_at FROM policy_version
            WHERE version > @after ORDER BY version LIMIT 1
            """,
            new { after },
            cancellationToken
        );

    private async ValueTask<AppliedPolicyRecord?> FirstAsync(
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    )
    {
        var row = await reads.FirstAsync<(long Version, string? Hash, string Document, long AppliedAt)>(
            sql,
            parameters,
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
