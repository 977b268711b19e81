using CredBroker.Core.Identity;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Access;
using CredBroker.Storage.Sql.Activity;

namespace CredBroker.Storage.Sql.Approvals;

/// <inheritdoc cref="IApprovalReader"/>
internal sealed class SqlApprovalReader(SqlReads reads, StoreClock clock) : IApprovalReader
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

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

    public async ValueTask<IReadOnlyList<Approval>> FindEscalatedAsync(CancellationToken cancellationToken) =>
        Readable(
            await reads.AllAsync<ApprovalRow>(
                $"""
                {ApprovalRow.Select}{reads.UseIndex("approval_escalates")}
                WHERE closed_at IS NULL AND state = 'pending' AND escalates_at IS NOT NULL AND escalates_at <= @now
                  AND expires_at > @now
                ORDER BY escalates_at LIMIT @limit
                """,
                new { now = ColumnValue.From(clock.Read().Counted), limit = Approval.MaxOpen },
                cancellationToken
            )
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

    public async ValueTask<ApproverPace> FindPaceAsync(
        string issuer,
        string subject,
        CancellationToken cancellationToken
    ) =>
        ApproverPace.Of([
            .. (
                await reads.AllAsync<long>(
                    SqlApproverStore.TookText,
                    new { person = SqlApproverStore.KeyOf(issuer, subject), last = ApproverPace.Last },
                    cancellationToken
                )
            ).Select(took => TimeSpan.FromMilliseconds(took)),
        ]);

    public async ValueTask<(DateTimeOffset Since, IReadOnlyList<AgentActivity> Activity)> ListActivityAsync(
        WorkloadIdentity instance,
        CancellationToken cancellationToken
    )
    {
        var since = SqlActivityStore.SlotOf(ColumnValue.From(clock.Now() - Hour));
        var rows = await reads.AllAsync<ActivityRow>(
            """
            SELECT credential AS Credential, cast(sum(issued) AS bigint) AS Issued,
              cast(sum(denied) AS bigint) AS Denied, cast(sum(challenged) AS bigint) AS Challenged
            FROM (
              SELECT credential, issued, denied, challenged FROM activity WHERE instance = @instance AND slot >= @since
              UNION ALL
              SELECT credential, issued, denied, challenged FROM activity_entry WHERE instance = @instance AND slot >= @since
            ) AS counted
            GROUP BY credential ORDER BY sum(issued + denied + challenged) DESC, credential LIMIT @most
            """,
            new
            {
                instance = SqlActivityStore.KeyOf(instance),
                since,
                most = AgentActivity.Most,
            },
            cancellationToken
        );
        return (
            ColumnValue.Time(since),
            [.. rows.Select(row => new AgentActivity(row.Credential, row.Issued, row.Denied, row.Challenged))]
        );
    }

    private static List<Approval> Readable(List<ApprovalRow> rows) =>
        [.. rows.Select(row => row.ToApproval()).OfType<Approval>()];

    private sealed class ActivityRow
    {
        public required string Credential { get; init; }

        public long Issued { get; init; }

        public long Denied { get; init; }

        public long Challenged { get; init; }
    }
}
