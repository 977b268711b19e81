using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Approvals;

/// <inheritdoc cref="ITimeBoxReader"/>
internal sealed class SqlTimeBoxReader(SqlReads reads, StoreClock clock) : ITimeBoxReader
{
    // More of one caller's about the same are never needed: each was given by people.
    private const int FewAtMost = 20;

    public async ValueTask<TimeBox?> FindAsync(string approvalId, CancellationToken cancellationToken) =>
        await reads.FirstAsync<TimeBoxRow>(TimeBoxRow.ByApproval, new { approval = approvalId }, cancellationToken)
            is { } row
        && await ReadAsync([row], cancellationToken) is [var timeBox]
            ? timeBox
            : null;

    public async ValueTask<IReadOnlyList<TimeBox>> FindOpenAsync(
        string callerKey,
        string digest,
        CancellationToken cancellationToken
    ) =>
        await ReadAsync(
            await reads.AllAsync<TimeBoxRow>(
                $"""
                {TimeBoxRow.Select}{reads.UseIndex("time_box_open_same")}
                WHERE caller_key = @callerKey AND digest = @digest AND ended_at IS NULL
                ORDER BY ends_at DESC LIMIT @limit
                """,
                new
                {
                    callerKey,
                    digest,
                    limit = FewAtMost,
                },
                cancellationToken
            ),
            cancellationToken
        );

    public async ValueTask<(IReadOnlyList<TimeBox> TimeBoxes, long? Next)> ListOpenAsync(
        long after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var rows = await reads.AllAsync<TimeBoxRow>(
            $"""
            {TimeBoxRow.Select}{reads.UseIndex("time_box_open")}
            WHERE ended_at IS NULL AND number > @after ORDER BY number LIMIT @limit
            """,
            new { after, limit = limit + 1 },
            cancellationToken
        );
        var page = rows.Count > limit ? rows[..limit] : rows;
        return (await ReadAsync(page, cancellationToken), rows.Count > limit ? page[^1].Number : null);
    }

    public async ValueTask<IReadOnlyList<string>> FindDueAsync(int limit, CancellationToken cancellationToken) =>
        await reads.AllAsync<string>(
            $"""
            SELECT approval FROM time_box{reads.UseIndex("time_box_open_due")}
            WHERE ended_at IS NULL AND ends_at <= @now ORDER BY ends_at LIMIT @limit
            """,
            new { now = ColumnValue.From(clock.Read().Counted), limit },
            cancellationToken
        );

    public async ValueTask<IReadOnlyList<string>> ListLeasesAsync(
        string approvalId,
        CancellationToken cancellationToken
    ) =>
        await reads.AllAsync<string>(
            "SELECT lease FROM time_box_lease WHERE approval = @approval ORDER BY number LIMIT @limit",
            new { approval = approvalId, limit = TimeBox.MaxUses },
            cancellationToken
        );

    private async ValueTask<IReadOnlyList<TimeBox>> ReadAsync(
        List<TimeBoxRow> rows,
        CancellationToken cancellationToken
    )
    {
        if (rows.Count == 0)
        {
            return [];
        }

        var approvals = (
            await reads.AllAsync<ApprovalRow>(
                $"{ApprovalRow.Select} WHERE {reads.IsAmong("id", "ids")}",
                new { ids = rows.Select(row => row.Approval).ToArray() },
                cancellationToken
            )
        )
            .Select(row => row.ToApproval())
            .OfType<Approval>()
            .ToDictionary(approval => approval.Id, StringComparer.Ordinal);
        return
        [
            .. rows.Where(row => approvals.ContainsKey(row.Approval)).Select(row => row.Of(approvals[row.Approval])),
        ];
    }
}
