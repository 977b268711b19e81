using System.Text;
using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using Dapper;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sql.Leases;

/// <inheritdoc cref="ILeaseReader"/>
internal sealed partial class SqlLeaseReader(SqlReads reads, StoreClock clock, ILogger logger) : ILeaseReader
{
    private const int MaxIdsAtOnce = 1_000;

    /// <summary>What is not over, in the words of the index <c>lease_live</c>.</summary>
    private const string Unconfirmed = "l.confirmed_at IS NULL";

    /// <summary>
    /// Confirmed, and not over by its state: of a row that contradicts itself, too, an order has to hear. In the words of
    /// the index <c>lease_contradictory</c>.
    /// </summary>
    private const string Contradictory = "l.confirmed_at IS NOT NULL AND l.state NOT IN ('revoked', 'ended')";

    /// <summary>What <see cref="Lease.AwaitsProof"/> says.</summary>
    private const string AwaitsProof =
        "(l.vault_lease_id IS NULL AND l.credential_accessor IS NULL AND l.accessor_revoked_at IS NOT NULL)";

    private static readonly LeaseState[] Over = [LeaseState.Revoked, LeaseState.Ended];

    private readonly DamageSaid _damage = new();

    public async ValueTask<Lease?> FindAsync(string leaseId, CancellationToken cancellationToken)
    {
        var row = await reads.FirstAsync<LeaseRow>(LeaseRow.ById, new { id = leaseId }, cancellationToken);
        try
        {
            return row?.ToLease();
        }
        catch (InvalidDataException e)
        {
            throw new StoreUnavailableException($"The store does not answer: {e.Message}", e);
        }
    }

    /// <summary>A page, newest first: ids carry the time.</summary>
    public async ValueTask<LeasePage> ListAsync(LeaseQuery query, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(query.Limit, Math.Clamp(query.Limit, 1, 1000));
        var (sql, parameters) = Select(query);
        var rows = await reads.AllAsync<LeaseRow>(sql, parameters, cancellationToken);
        var (leases, unreadable) = (new List<Lease>(), new List<UnreadableLease>());
        Read(rows.Take(query.Limit), leases, unreadable);
        return new(leases, rows.Count > query.Limit ? rows[query.Limit - 1].Id : null) { Unreadable = unreadable };
    }

    /// <summary>Due work. Each kind has a partial index in its order; running claims are few and skipped.</summary>
    public async ValueTask<LeasePage> FindWorkAsync(
        LeaseWork work,
        DateTimeOffset dueBefore,
        int limit,
        Predicate<string> isWanted,
        CancellationToken cancellationToken
    )
    {
        var (index, condition, due) = work switch
        {
            LeaseWork.Expired => ("lease_expiring", "l.state = 'active'", "l.expires_at"),
            LeaseWork.PendingPastDeadline => ("lease_pending", "l.state = 'pending'", "l.issuance_deadline"),
            _ => throw new ArgumentOutOfRangeException(nameof(work), work, null),
        };

        // After the broker's clock fell back, ends that were promised before, and every deadline of an issuance, are
        // measured by the count of what has passed, which is ahead.
        var at = clock.Read();
        var fallen =
            work == LeaseWork.Expired && at.FallenAt is not null
                ? " AND (l.expires_at < @until OR l.activated_at <= @fallenAt)"
                : "";
        return await DueAsync(
            index,
            condition,
            $"{due} < @due{fallen}",
            due,
            new()
            {
                {
                    "due",
                    ColumnValue.From(
                        fallen.Length == 0 && work == LeaseWork.Expired ? dueBefore : dueBefore + (at.Counted - at.Now)
                    )
                },
                { "until", ColumnValue.From(dueBefore) },
                { "fallenAt", ColumnValue.From(at.FallenAt) },
            },
            limit,
            isWanted,
            cancellationToken
        );
    }

    /// <summary>
    /// From the index of what is being revoked alone, and of each backend and lane in it one row: however much there is to
    /// do, finding out where costs no more. The OFFSET keeps PostgreSQL from making one join of it, for which it would read
    /// all that is due.
    /// </summary>
    public async ValueTask<IReadOnlyList<BackendWork>> FindRevocationWorkAsync(
        DateTimeOffset dueBefore,
        CancellationToken cancellationToken
    )
    {
        var next =
            $"SELECT n.id FROM lease n {reads.UseIndex("lease_revoking")} WHERE n.state IN ('revoking', 'failed')";
        return
        [
            .. (
                await reads.AllAsync<WorkRow>(
                    $"""
                    WITH RECURSIVE part (id) AS (
                      SELECT ({next} ORDER BY n.backend, n.lane LIMIT 1)
                      UNION ALL
                      SELECT coalesce(
                        ({next} AND n.backend = l.backend AND n.lane > l.lane ORDER BY n.lane LIMIT 1),
                        ({next} AND n.backend > l.backend ORDER BY n.backend, n.lane LIMIT 1)
                      )
                      FROM part JOIN lease l ON l.id = part.id
                    )
                    SELECT l.backend AS Backend, l.lane AS Lane FROM part JOIN lease l ON l.id = part.id
                    WHERE EXISTS (
                      {next} AND n.backend = l.backend AND n.lane = l.lane AND coalesce(n.next_attempt_at, 0) < @due
                      LIMIT 1 OFFSET 0
                    )
                    ORDER BY Lane, Backend
                    """,
                    new { due = ColumnValue.From(dueBefore) },
                    cancellationToken
                )
            ).Select(row => new BackendWork(row.Backend, (RevocationLane)row.Lane)),
        ];
    }

    public ValueTask<LeasePage> FindRevocationsAsync(
        BackendWork work,
        DateTimeOffset dueBefore,
        int limit,
        bool withProofs,
        Predicate<string> isWanted,
        CancellationToken cancellationToken
    ) =>
        DueAsync(
            "lease_revoking",
            "l.state IN ('revoking', 'failed')",
            "l.backend = @backend AND l.lane = @lane AND coalesce(l.next_attempt_at, 0) < @due"
                + (withProofs ? "" : $" AND NOT {AwaitsProof}"),
            // Those that were never tried are all due at 0: the oldest first, so that new ones keep none from its turn.
            "coalesce(l.next_attempt_at, 0), l.id",
            new()
            {
                { "backend", work.Backend },
                { "lane", (int)work.Lane },
                { "due", ColumnValue.From(dueBefore) },
            },
            limit,
            isWanted,
            cancellationToken
        );

    public async ValueTask<IReadOnlySet<string>> FindKnownVaultLeasesAsync(
        IReadOnlyCollection<string> vaultLeaseIds,
        CancellationToken cancellationToken
    )
    {
        if (vaultLeaseIds.Count == 0)
        {
            return new HashSet<string>();
        }

        var isAsked = reads.IsAmongMany("l.vault_lease_id", "asked");
        return (
            await reads.AllAsync<string>(
                $"{Holding("lease_live", Unconfirmed)} UNION ALL {Holding("lease_contradictory", Contradictory)}",
                new { asked = JsonSerializer.Serialize([.. vaultLeaseIds], StateJson.Default.StringArray) },
                cancellationToken
            )
        ).ToHashSet(StringComparer.Ordinal);

        // All that is not over is gone through: an index of random ids would cost each issuance more than this ever does.
        string Holding(string index, string condition) =>
            $"""
                SELECT l.vault_lease_id FROM lease l{reads.UseIndex(index)}
                WHERE {condition} AND l.state NOT IN ('revoked', 'ended') AND {isAsked}
                """;
    }

    public async ValueTask<IReadOnlyList<string>> FindPageEndsAsync(int size, CancellationToken cancellationToken) =>
        await reads.AllAsync<string>(
            $"""
            SELECT id FROM (
              SELECT id, row_number() OVER (ORDER BY id DESC) AS place FROM (
                SELECT l.id FROM lease l{reads.UseIndex("lease_live")} WHERE {Unconfirmed}
                UNION ALL
                SELECT l.id FROM lease l{reads.UseIndex("lease_contradictory")} WHERE {Contradictory}
              ) AS leases
            ) AS places WHERE place % @size = 0 ORDER BY id DESC
            """,
            new { size },
            cancellationToken
        );

    /// <summary>
    /// The live ones by their index, which holds every field; of the others the newest, so that a long history costs no
    /// more than a short one.
    /// </summary>
    public async ValueTask<IReadOnlySet<string>> FindNamesAsync(
        SelectorField field,
        CancellationToken cancellationToken
    )
    {
        var column = JsonNamingPolicy.SnakeCaseLower.ConvertName(field.ToString());
        return (
            await reads.AllAsync<string>(
                $"""
                SELECT DISTINCT name FROM (
                  SELECT {column} AS name FROM lease l{reads.UseIndex("lease_live")} WHERE {Unconfirmed}
                  UNION ALL
                  SELECT {column} AS name FROM lease l{reads.UseIndex("lease_contradictory")} WHERE {Contradictory}
                  UNION ALL
                  SELECT name FROM (SELECT {column} AS name FROM lease ORDER BY id DESC LIMIT 20000) AS recent
                ) AS names WHERE name <> '' LIMIT 10000
                """,
                null,
                cancellationToken
            )
        ).ToHashSet(StringComparer.Ordinal);
    }

    private (string Sql, DynamicParameters Parameters) Select(LeaseQuery query)
    {
        var onlyLive = query.States.Count > 0 && !query.States.Any(Over.Contains);
        var id = query.RevocationId is null ? "l.id" : "r.lease";
        var parameters = new DynamicParameters();
        var conditions = new StringBuilder();
        Equal("id", query.Selector.Lease);
        Equal("agent", query.Selector.Agent);
        Equal("workload", query.Selector.Workload);
        Equal("instance", query.Selector.Instance);
        Equal("subject", query.Selector.Subject);
        Equal("task", query.Selector.Task);
        Equal("process", query.Selector.Process);
        Equal("credential", query.Selector.Credential);
        Equal("owner", query.Selector.Owner);
        Equal("issuer", query.Selector.Issuer);
        Equal("trust_domain", query.Selector.TrustDomain);
        // Where all that is not over is wanted, a state that cannot be read is, too.
        if (query.States.Count > 0 && !(onlyLive && LeaseStates.NotOver.All(query.States.Contains)))
        {
            // Of what is not over the index of live leases has the order: were it the column by itself, PostgreSQL would take
            // the one state's own index, and sort all that is in it for each page.
            conditions.Append($" AND {reads.IsAmong(onlyLive ? "(l.state || '')" : "l.state", "states")}");
            parameters.Add("states", query.States.Select(ColumnValue.From).ToArray());
        }

        if (query.IdPrefix is { } prefix)
        {
            // A range of the order that the page has: however many leases there are, only those of the prefix are read.
            conditions.Append($" AND {id} >= @prefix AND {id} < @beyond");
            parameters.Add("prefix", prefix);
            parameters.Add("beyond", ColumnValue.BeyondIds(prefix));
        }

        if (query.After is not null)
        {
            conditions.Append($" AND {id} < @after");
            parameters.Add("after", query.After);
        }

        if (query.Until is not null)
        {
            conditions.Append($" AND {id} >= @until");
            parameters.Add("until", query.Until);
        }

        // One more than wanted says whether there is a next page.
        var page = $"{conditions} ORDER BY {id} DESC LIMIT @limit";
        parameters.Add("limit", query.Limit + 1);
        // What an order reached is a list of its own.
        var sql = (query.RevocationId, onlyLive) switch
        {
            ({ }, true) => $"{LeaseRow.OfOrder} AND ({Unconfirmed} OR {Contradictory}){page}",
            ({ }, false) => LeaseRow.OfOrder + page,
            (null, true) =>
                $"""
                {LeaseRow.Select} WHERE {reads.IsAmongFound("l.id", $"""
                  SELECT id FROM ({Live("lease_live", Unconfirmed)}) AS live
                  UNION ALL
                  SELECT id FROM ({Live("lease_contradictory", Contradictory)}) AS contradictory
                """)} ORDER BY l.id DESC LIMIT @limit
                """,
            (null, false) => $"{LeaseRow.Select} WHERE TRUE{page}",
        };
        if (query.RevocationId is not null)
        {
            parameters.Add("revocation", query.RevocationId);
        }

        return (sql, parameters);

        // The index of live leases holds every field of a selector: one pass over it, in the page's order, whatever is
        // selected.
        string Live(string index, string condition) =>
            $"SELECT l.id FROM lease l{reads.UseIndex(index)} WHERE {condition}{page}";

        void Equal(string column, string? value)
        {
            if (value is not null)
            {
                conditions.Append($" AND l.{column} = @{column}");
                parameters.Add(column, value);
            }
        }
    }

    /// <summary>
    /// The first of what is due, as many as can be read and are wanted: damaged rows among them take no place of others.
    /// Ids first, without the records, and few to begin with: what is not wanted now may be thousands, all of them before
    /// what is, but mostly there is none.
    /// </summary>
    private async ValueTask<LeasePage> DueAsync(
        string index,
        string state,
        string isDue,
        string due,
        Dictionary<string, object?> parameters,
        int limit,
        Predicate<string> isWanted,
        CancellationToken cancellationToken
    )
    {
        var (leases, unreadable) = (new List<Lease>(), new List<UnreadableLease>());
        parameters["now"] = ColumnValue.From(clock.Read().Counted);
        var (offset, atOnce, found) = (0, Math.Min(2 * limit, MaxIdsAtOnce), 0);
        for (; found == offset && leases.Count < limit; atOnce = Math.Min(8 * atOnce, MaxIdsAtOnce))
        {
            (parameters["offset"], parameters["limit"]) = (offset, atOnce);
            parameters.Remove("wanted");
            var ids = await reads.AllAsync<string>(
                $"""
                SELECT l.id FROM lease l {reads.UseIndex(index)}
                WHERE {state} AND {isDue}
                  AND (l.claimed_until IS NULL OR l.claimed_until <= @now OR l.claimed_until > @now + 3600000)
                ORDER BY {due} LIMIT @limit OFFSET @offset
                """,
                parameters,
                cancellationToken
            );
            (offset, found) = (offset + atOnce, found + ids.Count);
            foreach (var wanted in ids.Where(id => isWanted(id)).Chunk(limit).TakeWhile(_ => leases.Count < limit))
            {
                // Due still: it may have been renewed since. Asked so that they are found by their ids, and by nothing else.
                parameters["wanted"] = wanted;
                var rows = await reads.AllAsync<LeaseRow>(
                    $"""
                    {LeaseRow.Select} WHERE {reads.IsAmong(
                        "l.id",
                        "wanted"
                    )} AND CASE WHEN {state} AND {isDue} THEN TRUE ELSE FALSE END ORDER BY {due}
                    """,
                    parameters,
                    cancellationToken
                );
                Read(rows, leases, unreadable);
            }
        }

        return new([.. leases.Take(limit)], null) { Unreadable = unreadable };
    }

    // One row that somebody damaged must not stop the revocation of all others, nor be forgotten.
    private void Read(IEnumerable<LeaseRow> rows, List<Lease> leases, List<UnreadableLease> unreadable)
    {
        foreach (var row in rows)
        {
            try
            {
                leases.Add(row.ToLease());
            }
            catch (InvalidDataException e)
            {
                if (_damage.IsNew(row.Id, e.Message))
                {
                    LogUnreadable(logger, e, row.Id);
                }

                unreadable.Add(row.ToUnreadable(e.Message));
            }
        }
    }

    private sealed class WorkRow
    {
        public required string Backend { get; init; }

        public long Lane { get; init; }
    }

    [LoggerMessage(
        EventId = 5106,
        Level = LogLevel.Critical,
        Message = "Lease {LeaseId} cannot be read. It is revoked by what its row still says, and no order that reaches it is "
            + "complete before an admin has confirmed it"
    )]
    private static partial void LogUnreadable(ILogger logger, Exception exception, string leaseId);
}
