using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Access;

namespace CredBroker.Storage.Sql.Approvals;

/// <inheritdoc cref="IApprovalReader"/>
internal sealed class SqlApprovalReader(SqlReads reads, StoreClock clock) : IApprovalReader
{
    public async ValueTask<Approval?> FindAsync(string approvalId, CancellationToken cancellationToken) =>
        (
            await reads.FirstAsync<ApprovalRow>(ApprovalRow.ById, new { id = approvalId }, cancellationToken)
        )?.ToApproval();

    public async ValueTask<Approval?> FindOpenAsync(
        string callerKey,
        string digest,
        CancellationToken cancellationToken
    ) =>
        (
            await reads.FirstAsync<ApprovalRow>(
                $"""
                {ApprovalRow.Select}{reads.UseIndex("approval_open_same")}
                WHERE caller_key = @callerKey AND digest = @digest AND closed_at IS NULL
                """,
                new { callerKey, digest },
                cancellationToken
            )
        )?.ToApproval();

    public async ValueTask<IReadOnlyList<Approval>> ListOpenAsync(CancellationToken cancellationToken) =>
        Readable(
            await reads.AllAsync<ApprovalRow>(
                $"""
                {ApprovalRow.Select}{reads.UseIndex(
                    "approval_open"
                )} WHERE closed_at IS NULL ORDER BY number LIMIT @limit
                """,
                new { limit = Approval.MaxOpen },
                cancellationToken
            )
        );

    public async ValueTask<IReadOnlyList<Approval>> ListApprovedAsync(CancellationToken cancellationToken) =>
        Readable(
            await reads.AllAsync<ApprovalRow>(
                $"""
                {ApprovalRow.Select}{reads.UseIndex("approval_open")}
                WHERE closed_at IS NULL AND state = 'approved' ORDER BY number LIMIT @limit
                """,
                new { limit = Approval.MaxOpen },
                cancellationToken
            )
        );

    public async ValueTask<(IReadOnlyList<Approval> Changed, long Last)> ListChangedAsync(
        long after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var rows = await reads.AllAsync<ApprovalRow>(
            $"{ApprovalRow.Select} WHERE change > @after ORDER BY change LIMIT @limit",
            new { after, limit },
            cancellationToken
        );
        // One that cannot be read is passed over, and not asked for again.
        return (Readable(rows), rows is [.., var last] ? last.Change : after);
    }

    public async ValueTask<IReadOnlyList<string>> FindDueAsync(int limit, CancellationToken cancellationToken) =>
        await reads.AllAsync<string>(
            $"""
            SELECT id FROM approval{reads.UseIndex("approval_open_due")}
            WHERE closed_at IS NULL AND expires_at <= @now ORDER BY expires_at LIMIT @limit
            """,
            new { now = ColumnValue.From(clock.Read().Counted), limit },
            cancellationToken
        );

    public async ValueTask<AccessEvaluation?> FindEvaluationAsync(
        string evaluationId,
        CancellationToken cancellationToken
    ) =>
        (
            await reads.FirstAsync<EvaluationRow>(
                $"{EvaluationRow.Select} WHERE id = @evaluationId",
                new { evaluationId },
                cancellationToken
            )
        )?.ToEvaluation();

    public async ValueTask<AccessEvaluation?> FindSubmittedAsync(
        string callerKey,
        string keyDigest,
        CancellationToken cancellationToken
    ) =>
        (
            await reads.FirstAsync<EvaluationRow>(
                $"{EvaluationRow.Select} WHERE caller_key = @callerKey AND key_digest = @keyDigest",
                new { callerKey, keyDigest },
                cancellationToken
            )
        )?.ToEvaluation();

    private static List<Approval> Readable(List<ApprovalRow> rows) =>
        [.. rows.Select(row => row.ToApproval()).OfType<Approval>()];
}
