using System.Text;
using CredBroker.Core.Leases;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <summary>Reads leases.</summary>
internal static partial class SqlLeaseQueries
{
    private const string ById = LeaseRow.Select + LeaseRow.JoinDecision + "WHERE l.id = $id";

    private static readonly LeaseState[] Over = [LeaseState.Revoked, LeaseState.Ended];

    public static Lease? Find(SqliteConnection connection, string id) =>
        connection.QueryFirstOrDefault<LeaseRow>(ById, new { id })?.ToLease();

    /// <summary>As the open transaction sees it.</summary>
    public static Lease? Find(WriteSession session, string id) =>
        session.QueryFirst<LeaseRow>(ById, new { id })?.ToLease();

    /// <summary>A page, newest first: ids carry the time.</summary>
    public static LeasePage List(SqliteConnection connection, LeaseQuery query, ILogger logger)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(query.Limit, Math.Clamp(query.Limit, 1, 1000));
        var onlyLive = query.States.Count > 0 && !query.States.Any(Over.Contains);
        var sql = new StringBuilder(LeaseRow.Select);
        // The index of live leases holds every field of a selector: one pass over it, in the page's order, whatever is
        // selected. An order's leases have their own.
        sql.Append(
                (query.RevocationId, onlyLive) switch
                {
                    (not null, _) => " INDEXED BY lease_by_order",
                    (null, true) => " INDEXED BY lease_live",
                    _ => "",
                }
            )
            .Append(LeaseRow.JoinDecision)
            .Append("WHERE 1");
        var parameters = new DynamicParameters();
        Equal("l.id", query.Selector.Lease);
        Equal("l.agent", query.Selector.Agent);
        Equal("l.workload", query.Selector.Workload);
        Equal("l.instance", query.Selector.Instance);
        Equal("l.subject", query.Selector.Subject);
        Equal("l.task", query.Selector.Task);
        Equal("l.process", query.Selector.Process);
        Equal("l.credential", query.Selector.Credential);
        Equal("l.owner", query.Selector.Owner);
        Equal("l.issuer", query.Selector.Issuer);
        Equal("l.trust_domain", query.Selector.TrustDomain);
        Equal("l.revocation_id", query.RevocationId);
        Add(onlyLive, " AND l.confirmed_at IS NULL");
        if (query.States.Count > 0)
        {
            sql.Append(" AND l.state IN @states");
            parameters.Add("states", query.States.Select(Column.From).ToArray());
        }

        if (query.After is not null)
        {
            sql.Append(" AND l.id < @after");
            parameters.Add("after", query.After);
        }

        // One more than wanted says whether there is a next page.
        sql.Append(" ORDER BY l.id DESC LIMIT @limit");
        parameters.Add("limit", query.Limit + 1);
        var rows = connection.Query<LeaseRow>(sql.ToString(), parameters).AsList();
        return new(
            [.. Readable(rows.Take(query.Limit), logger)],
            rows.Count > query.Limit ? rows[query.Limit - 1].Id : null
        );

        void Equal(string column, string? value)
        {
            if (value is not null)
            {
                var name = column[2..];
                sql.Append($" AND {column} = @{name}");
                parameters.Add(name, value);
            }
        }

        void Add(bool condition, string text) => sql.Append(condition ? text : "");
    }

    /// <summary>Due work. Each kind has a partial index in its order; running claims are few and skipped.</summary>
    public static IReadOnlyList<Lease> FindWork(
        SqliteConnection connection,
        LeaseWork work,
        DateTimeOffset dueBefore,
        int limit,
        DateTimeOffset now,
        ILogger logger
    )
    {
        var (index, condition, due) = work switch
        {
            LeaseWork.Expired => ("lease_expiring", "l.state = 'active'", "l.expires_at"),
            LeaseWork.PendingPastDeadline => ("lease_pending", "l.state = 'pending'", "l.issuance_deadline"),
            LeaseWork.RevocationDue => (
                "lease_revoking",
                "l.state IN ('revoking', 'failed')",
                "coalesce(l.next_attempt_at, 0)"
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(work), work, null),
        };
        var rows = connection.Query<LeaseRow>(
            $"""
            {LeaseRow.Select} INDEXED BY {index} {LeaseRow.JoinDecision}
            WHERE {condition} AND {due} < @due AND (l.claimed_until IS NULL OR l.claimed_until <= @now)
            ORDER BY {due} LIMIT @limit
            """,
            new
            {
                due = Column.From(dueBefore),
                now = Column.From(now),
                limit,
            }
        );
        return [.. Readable(rows, logger)];
    }

    public static IReadOnlySet<string> FindKnownVaultLeases(
        SqliteConnection connection,
        IReadOnlyCollection<string> vaultLeaseIds
    )
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var chunk in vaultLeaseIds.Chunk(500))
        {
            known.UnionWith(
                connection.Query<string>(
                    "SELECT vault_lease_id FROM lease WHERE vault_lease_id IN @chunk",
                    new { chunk }
                )
            );
        }

        return known;
    }

    // One row that somebody damaged must not stop the revocation of all others.
    private static IEnumerable<Lease> Readable(IEnumerable<LeaseRow> rows, ILogger logger)
    {
        foreach (var row in rows)
        {
            Lease? lease = null;
            try
            {
                lease = row.ToLease();
            }
            catch (InvalidDataException e)
            {
                LogUnreadable(logger, e, row.Id);
            }

            if (lease is not null)
            {
                yield return lease;
            }
        }
    }

    [LoggerMessage(
        EventId = 5106,
        Level = LogLevel.Critical,
        Message = "Lease {LeaseId} cannot be read and is left out. Revoke its secret by hand"
    )]
    private static partial void LogUnreadable(ILogger logger, Exception exception, string leaseId);
}
