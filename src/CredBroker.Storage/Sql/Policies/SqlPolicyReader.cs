using System.Text.Json;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Policies;

/// <inheritdoc cref="IPolicyReader"/>
internal sealed class SqlPolicyReader(SqlReads reads) : IPolicyReader
{
    public ValueTask<AppliedPolicyRecord?> FindNewestAsync(CancellationToken cancellationToken) =>
        FirstAsync(
            "SELECT version, hash, document, applied_at FROM policy_version ORDER BY version DESC LIMIT 1",
            null,
            Document,
            cancellationToken
        );

    public ValueTask<AppliedPolicyRecord?> FindNextAsync(long after, CancellationToken cancellationToken) =>
        FirstAsync(
            """
            SELECT version, hash, document, applied_at FROM policy_version
            WHERE version > @after ORDER BY version LIMIT 1
            """,
            new { after },
            DocumentOrNone,
            cancellationToken
        );

    public ValueTask<AppliedPolicyRecord?> FindAsync(long version, CancellationToken cancellationToken) =>
        FirstAsync(
            "SELECT version, hash, document, applied_at FROM policy_version WHERE version = @version",
            new { version },
            DocumentOrNone,
            cancellationToken
        );

    public async ValueTask<IReadOnlyList<AppliedPolicyRecord>> ListAsync(
        long before,
        int limit,
        CancellationToken cancellationToken
    ) =>
        [
            .. (
                await reads.AllAsync<(long Version, string Hash, long AppliedAt)>(
                    """
                    SELECT version, hash, applied_at FROM policy_version
                    WHERE version < @before ORDER BY version DESC LIMIT @limit
                    """,
                    new { before, limit },
                    cancellationToken
                )
            ).Select(row => new AppliedPolicyRecord(
                row.Version,
                row.Hash,
                new() { Name = "", Text = "" },
                ColumnValue.Time(row.AppliedAt)
            )),
        ];

    private async ValueTask<AppliedPolicyRecord?> FirstAsync(
        string sql,
        object? parameters,
        Func<string, PolicyDocument> read,
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
            : new(row.Version, row.Hash, read(row.Document), ColumnValue.Time(row.AppliedAt));
    }

    private static PolicyDocument Document(string json) =>
        JsonSerializer.Deserialize(json, StateJson.Default.PolicyDocument)!;

    /// <summary>One damaged version keeps nobody from the others: it has no text, which no policy is.</summary>
    private static PolicyDocument DocumentOrNone(string json)
    {
        try
        {
            return Document(json);
        }
        catch (JsonException)
        {
            return new() { Name = "damaged", Text = "" };
        }
    }
}
