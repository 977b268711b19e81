using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Leases;

internal sealed partial class SqlLeaseReader
{
    /// <summary>From the indexes of the jobs' work alone: the history costs nothing.</summary>
    public async ValueTask<LeaseCounts> CountAsync(CancellationToken cancellationToken)
    {
        var row = await reads.FirstAsync<CountRow>(
            """
            SELECT
              (SELECT count(*) FROM lease WHERE state = 'pending') AS Pending,
              (SELECT count(*) FROM lease WHERE state = 'active') AS Active,
              (SELECT count(*) FROM lease WHERE state = 'active' AND expires_at <= @now) AS Expired,
              (SELECT min(expires_at) FROM lease WHERE state = 'active') AS FirstEnd,
              (SELECT count(*) FROM lease WHERE state IN ('revoking', 'failed')) AS Revoking,
              (SELECT count(*) FROM lease WHERE state IN ('revoking', 'failed') AND state = 'failed') AS Failed,
              (SELECT min(revocation_requested_at) FROM lease WHERE state IN ('revoking', 'failed')) AS FirstRequest
            """,
            new { now = ColumnValue.From(clock.Now()) },
            cancellationToken
        );
        return row!.ToCounts();
    }

    private sealed class CountRow
    {
        public long Pending { get; init; }

        public long Active { get; init; }

        public long Expired { get; init; }

        public long? FirstEnd { get; init; }

        public long Revoking { get; init; }

        public long Failed { get; init; }

        public long? FirstRequest { get; init; }

        public LeaseCounts ToCounts()
        {
            var ended = Expired > 0 ? FirstEnd : null;
            return new(
                Pending,
                Active,
                Revoking - Failed,
                Failed,
                Expired + Revoking,
                ColumnValue.Time(ended < FirstRequest ? ended : FirstRequest ?? ended)
            );
        }
    }
}
