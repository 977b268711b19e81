using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sql.Approvals;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Idempotency;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Limits;
using CredBroker.Storage.Sql.Notifications;
using CredBroker.Storage.Sql.Revocations;
using CredBroker.Testing.Broker;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Storage;

/// <summary>
/// How SQLite finds what the broker asks for all the time: by an index of what there is to do, and never through the
/// history. A SCAN stands here only over an index that holds nothing else. A plan that changes is looked at before it is
/// written down.
/// </summary>
public sealed class QueryPlanTests
{
    private static readonly DateTimeOffset Due = new(2031, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly BackendWork Work = new("database", RevocationLane.Ending);

    public static TheoryData<string> Queries => [.. Plans.Keys];

    private static Dictionary<string, (Func<Readers, Task> Ask, string[] Plan)> Plans { get; } =
        new()
        {
            ["expired leases"] = (
                readers => readers.Leases.FindWorkAsync(LeaseWork.Expired, Due, 10, _ => true, default).AsTask(),
                [
                    "SEARCH l USING INDEX lease_expiring (expires_at<?)",
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["issuances past their deadline"] = (
                readers =>
                    readers.Leases.FindWorkAsync(LeaseWork.PendingPastDeadline, Due, 10, _ => true, default).AsTask(),
                ["SEARCH l USING INDEX lease_pending (issuance_deadline<?)"]
            ),
            ["where revocations are due"] = (
                readers => readers.Leases.FindRevocationWorkAsync(Due, default).AsTask(),
                [
                    "SCAN n USING INDEX lease_revoking",
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SEARCH n USING INDEX lease_revoking (backend=? AND lane>?)",
                    "SEARCH n USING INDEX lease_revoking (backend>?)",
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SEARCH n USING INDEX lease_revoking (backend=? AND lane=? AND <expr><?)",
                    "USE TEMP B-TREE FOR ORDER BY",
                ]
            ),
            ["due revocations"] = (
                readers => readers.Leases.FindRevocationsAsync(Work, Due, 10, true, _ => true, default).AsTask(),
                [
                    "SEARCH l USING INDEX lease_revoking (backend=? AND lane=? AND <expr><?)",
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["due revocations while a sweep is under way"] = (
                readers => readers.Leases.FindRevocationsAsync(Work, Due, 10, false, _ => true, default).AsTask(),
                [
                    "SEARCH l USING INDEX lease_revoking (backend=? AND lane=? AND <expr><?)",
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["live leases of a selector"] = (
                readers =>
                    readers
                        .Leases.ListAsync(
                            new()
                            {
                                Selector = new() { Agent = "triage" },
                                States = LeaseStates.Live,
                            },
                            default
                        )
                        .AsTask(),
                [
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SCAN l USING INDEX lease_live",
                    "SCAN l USING INDEX lease_contradictory",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["all that is not over of a selector"] = (
                readers =>
                    readers
                        .Leases.ListAsync(
                            new()
                            {
                                Selector = new() { Agent = "triage" },
                                States = LeaseStates.NotOver,
                            },
                            default
                        )
                        .AsTask(),
                [
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SCAN l USING INDEX lease_live",
                    "SCAN l USING INDEX lease_contradictory",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["what an order reached"] = (
                readers => readers.Leases.ListAsync(new() { RevocationId = "order" }, default).AsTask(),
                [
                    "SEARCH r USING PRIMARY KEY (revocation=?)",
                    "SEARCH l USING PRIMARY KEY (id=?) LEFT-JOIN",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["one lease"] = (
                readers => readers.Leases.FindAsync("lease", default).AsTask(),
                [
                    "SEARCH l USING PRIMARY KEY (id=?)",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["leases by the beginning of their ids"] = (
                readers => readers.Leases.ListAsync(new() { IdPrefix = "0199d3b0" }, default).AsTask(),
                [
                    "SEARCH l USING PRIMARY KEY (id>? AND id<?)",
                    "SEARCH t USING INDEX sqlite_autoindex_audit_record_1 (stream=? AND sequence=?)",
                    "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ["leases by Vault's ids"] = (
                readers => readers.Leases.FindKnownVaultLeasesAsync(["one", "two"], default).AsTask(),
                [
                    "SCAN l USING INDEX lease_live",
                    "SCAN json_each VIRTUAL TABLE INDEX 1:",
                    "SCAN l USING INDEX lease_contradictory",
                    "SCAN json_each VIRTUAL TABLE INDEX 1:",
                ]
            ),
            ["orders, newest first"] = (
                readers => readers.Revocations.ListAsync(100, 10, default).AsTask(),
                ["SEARCH revocation_order USING INTEGER PRIMARY KEY (rowid<?)"]
            ),
            ["orders by the beginning of their ids"] = (
                readers => readers.Revocations.FindByPrefixAsync("0199d3b0", 6, default).AsTask(),
                ["SEARCH revocation_order USING INDEX sqlite_autoindex_revocation_order_1 (id>? AND id<?)"]
            ),
            ["open orders"] = (
                readers => readers.Revocations.FindOpenAsync(10, _ => true, default).AsTask(),
                ["SCAN revocation_order USING INDEX revocation_order_open"]
            ),
            ["holds in force"] = (
                readers => readers.Holds.ListInForceAsync(default).AsTask(),
                ["SEARCH hold USING INDEX hold_in_force (<expr>>?)", "USE TEMP B-TREE FOR ORDER BY"]
            ),
            ["whether a hold reaches a request"] = (
                readers => readers.Holds.IsHeldAsync(readers.Decision, "", default).AsTask(),
                ["SEARCH hold USING INDEX hold_in_force (<expr>>?)"]
            ),
            ["whether a limit has room"] = (
                readers => readers.Limits.FindBreachAsync([new(readers.Limit, "key")], default).AsTask(),
                [
                    "SEARCH k USING PRIMARY KEY (key=?)",
                    "SEARCH e USING PRIMARY KEY (key=? AND at>?)",
                    "SEARCH k USING PRIMARY KEY (key=?)",
                    "SEARCH e USING PRIMARY KEY (key=? AND at>?)",
                ]
            ),
            ["an idempotency key"] = (
                readers => readers.Idempotency.FindAsync("caller", "key", default).AsTask(),
                ["SEARCH idempotency USING PRIMARY KEY (caller_key=? AND key=?)"]
            ),
            ["a question to people"] = (
                readers => readers.Approvals.FindAsync("approval", default).AsTask(),
                ["SEARCH approval USING INDEX sqlite_autoindex_approval_1 (id=?)"]
            ),
            ["whether the same was asked"] = (
                readers => readers.Approvals.FindOpenAsync("caller", "digest", default).AsTask(),
                ["SEARCH approval USING INDEX approval_open_same (caller_key=? AND digest=?)"]
            ),
            ["open questions"] = (
                readers => readers.Approvals.ListOpenAsync(default).AsTask(),
                ["SCAN approval USING INDEX approval_open"]
            ),
            ["questions that were changed"] = (
                readers => readers.Approvals.ListChangedAsync(7, 10, default).AsTask(),
                ["SEARCH approval USING INDEX sqlite_autoindex_approval_2 (change>?)"]
            ),
            ["how fast a person decides"] = (
                readers => readers.Approvals.FindPaceAsync("issuer", "subject", default).AsTask(),
                ["SEARCH approver_word USING INDEX approver_word_person (person=?)"]
            ),
            ["what an instance has had"] = (
                readers => readers.Approvals.ListActivityAsync(readers.Decision.Identity, default).AsTask(),
                [
                    "SEARCH activity USING PRIMARY KEY (instance=? AND slot>?)",
                    "SCAN activity_entry",
                    "SCAN counted",
                    "USE TEMP B-TREE FOR GROUP BY",
                    "USE TEMP B-TREE FOR ORDER BY",
                ]
            ),
            ["questions whose time is over"] = (
                readers => readers.Approvals.FindDueAsync(10, default).AsTask(),
                ["SEARCH approval USING INDEX approval_open_due (expires_at<?)"]
            ),
            ["what is to be sent outside"] = (
                readers => readers.Notifications.FindDueAsync(10, default).AsTask(),
                ["SEARCH notification USING INDEX notification_due (due_at<?)", "USE TEMP B-TREE FOR ORDER BY"]
            ),
            ["what could not be sent"] = (
                readers => readers.Notifications.CountFailedAsync(default).AsTask(),
                ["SEARCH notification USING COVERING INDEX notification_failed (failed_at>?)"]
            ),
        };

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task What_the_broker_asks_all_the_time_is_found_by_an_index(string query)
    {
        await using var broker = await BrokerHarness.StartAsync();
        // One of each kind, so that what is found first is asked for more of.
        var active = await broker.IssueAsync();
        var revoking = await broker.IssueAsync();
        await broker.Revoker.MarkAsync(
            revoking,
            new(RevocationCause.Released, BrokerHarness.Admin, null, null),
            LeaseStates.Live
        );
        await using var connection = new SqliteConnection($"Data Source={broker.StoreFile};Pooling=False");
        var reads = new ExplainedReads(connection);
        var clock = new StoreClock(broker.Time);

        await Plans[query]
            .Ask(
                new(
                    new SqlLeaseReader(reads, clock, NullLogger.Instance),
                    new SqlRevocationReader(reads, NullLogger.Instance),
                    new SqlHoldReader(reads, clock),
                    new SqlIdempotencyReader(reads, clock),
                    new SqlApprovalReader(reads, clock),
                    new SqlLimitReader(reads, clock),
                    new SqlNotificationReader(reads, clock),
                    active.Decision
                )
            );

        Assert.Equal(Plans[query].Plan, reads.Steps);
    }

    /// <summary>The store's readers, of which each query says how it is carried out.</summary>
    private sealed record Readers(
        ILeaseReader Leases,
        IRevocationReader Revocations,
        IHoldReader Holds,
        IIdempotencyReader Idempotency,
        IApprovalReader Approvals,
        ILimitReader Limits,
        INotificationReader Notifications,
        DecisionRecord Decision
    )
    {
        public PolicyLimit Limit { get; } =
            new()
            {
                Id = "limit",
                Per = LimitScope.Instance,
                MaxIssued = new(10, TimeSpan.FromHours(1)),
                MaxDenied = new(10, TimeSpan.FromHours(1)),
            };
    }

    /// <summary>Asks SQLite for the plan of each query, and carries it out.</summary>
    private sealed class ExplainedReads(SqliteConnection connection) : SqlReads
    {
        public List<string> Steps { get; } = [];

        public override async ValueTask<T?> FirstAsync<T>(
            string sql,
            object? parameters,
            CancellationToken cancellationToken
        )
            where T : default => (await AllAsync<T>(sql, parameters, cancellationToken)).FirstOrDefault();

        public override async ValueTask<List<T>> AllAsync<T>(
            string sql,
            object? parameters,
            CancellationToken cancellationToken
        )
        {
            var plan = await connection.QueryAsync<Step>($"EXPLAIN QUERY PLAN {sql}", parameters);
            Steps.AddRange(
                plan.Select(step => step.Detail)
                    .Where(detail => detail.StartsWith("USE", StringComparison.Ordinal) || IsOfTable(detail))
            );
            return (await connection.QueryAsync<T>(sql, parameters)).AsList();
        }

        // What reads rows that a query has made itself says nothing of a table.
        private static bool IsOfTable(string detail) =>
            (
                detail.StartsWith("SCAN", StringComparison.Ordinal)
                || detail.StartsWith("SEARCH", StringComparison.Ordinal)
            ) && detail is not ("SCAN CONSTANT ROW" or "SCAN part" or "SCAN live" or "SCAN contradictory");

        public override string IsAmong(string column, string parameter) => $"{column} IN @{parameter}";

        public override string IsAmongMany(string column, string parameter) =>
            $"{column} IN (SELECT value FROM json_each(@{parameter}))";

        public override string UseIndex(string index) => $" INDEXED BY {index}";
    }

    private sealed class Step
    {
        public required string Detail { get; init; }
    }
}
