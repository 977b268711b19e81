using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.Commit;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Idempotency;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Revocations;
using CredBroker.Testing.Storage;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// What PostgreSQL reads for the questions that the broker asks all the time, in a store of 100,000 leases: as much as
/// there is to do, and never the history. Its planner goes by statistics, which come late, so each question is asked
/// before they know of what is live, and after. Counted are the pages that a query touched.
/// </summary>
public sealed class PostgresPlanTests(SharedPostgres shared) : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    private const int Past = 60_000;
    private const int Live = 30_000;
    private const int Revoking = 10_000;

    private static readonly BackendWork Work = new("backend-1", RevocationLane.Emergency);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private PostgresSchema _schema = null!;
    private NpgsqlConnection _connection = null!;

    /// <summary>Each question, and how many pages it may touch at most.</summary>
    private static Dictionary<string, (Func<Readers, DateTimeOffset, Task> Ask, long Pages)> Questions { get; } =
        new()
        {
            ["expired leases"] = (
                (readers, now) => readers.Leases.FindWorkAsync(LeaseWork.Expired, now, 10, _ => true, default).AsTask(),
                200
            ),
            ["issuances past their deadline"] = (
                (readers, now) =>
                    readers.Leases.FindWorkAsync(LeaseWork.PendingPastDeadline, now, 10, _ => true, default).AsTask(),
                20
            ),
            ["where revocations are due"] = (
                (readers, now) => readers.Leases.FindRevocationWorkAsync(now, default).AsTask(),
                200
            ),
            ["due revocations"] = (
                (readers, now) => readers.Leases.FindRevocationsAsync(Work, now, 10, true, _ => true, default).AsTask(),
                200
            ),
            ["due revocations while a sweep is under way"] = (
                (readers, now) =>
                    readers.Leases.FindRevocationsAsync(Work, now, 10, false, _ => true, default).AsTask(),
                200
            ),
            // One pass over what is not over, each of which may stand in a page of its own.
            ["live leases of a selector that reaches none"] = (
                (readers, _) =>
                    readers
                        .Leases.ListAsync(
                            new()
                            {
                                Selector = new() { Instance = "nobody" },
                                States = LeaseStates.Live,
                            },
                            default
                        )
                        .AsTask(),
                (Live + Revoking) * 5 / 4
            ),
            ["the first of those that are active"] = (
                (readers, _) =>
                    readers.Leases.ListAsync(new() { States = [LeaseState.Active], Limit = 10 }, default).AsTask(),
                400
            ),
            // As a pass over all of them comes to it: what lies before it was read by the pages before.
            ["a page of those that are live, in their midst"] = (
                (readers, _) =>
                    readers
                        .Leases.ListAsync(
                            new()
                            {
                                States = LeaseStates.Live,
                                After = IdOf(Past + Revoking + 1_500),
                                Limit = 1000,
                            },
                            default
                        )
                        .AsTask(),
                12_000
            ),
            ["the first of an order's leases"] = (
                (readers, _) =>
                    readers
                        .Leases.ListAsync(
                            new()
                            {
                                Selector = new() { Instance = "worker-7" },
                                States = LeaseStates.NotOver,
                                Limit = 10,
                            },
                            default
                        )
                        .AsTask(),
                (Live + Revoking) * 5 / 4
            ),
            ["what an order reached"] = (
                (readers, _) =>
                    readers.Leases.ListAsync(new() { RevocationId = "order-7", Limit = 10 }, default).AsTask(),
                400
            ),
            ["the newest leases"] = (
                (readers, _) => readers.Leases.ListAsync(new() { Limit = 10 }, default).AsTask(),
                200
            ),
            ["one lease"] = ((readers, _) => readers.Leases.FindAsync(readers.Template, default).AsTask(), 20),
            ["leases by the beginning of their ids"] = (
                (readers, _) => readers.Leases.ListAsync(new() { IdPrefix = $"{1:x30}", Limit = 6 }, default).AsTask(),
                50
            ),
            ["leases by Vault's ids"] = (
                (readers, _) => readers.Leases.FindKnownVaultLeasesAsync(["one", "two"], default).AsTask(),
                (Live + Revoking) * 5 / 4
            ),
            ["open orders"] = ((readers, _) => readers.Revocations.FindOpenAsync(10, _ => true, default).AsTask(), 20),
            ["holds in force"] = ((readers, _) => readers.Holds.ListInForceAsync(default).AsTask(), 20),
            ["an idempotency key"] = (
                (readers, _) => readers.Idempotency.FindAsync("caller", "key-7", default).AsTask(),
                20
            ),
        };

    public async ValueTask InitializeAsync()
    {
        _schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        var samples = new StoreSamples(_time);
        var lease = samples.Lease();
        using (
            var store = PostgresBrokerStore.Open(
                _schema.Options,
                _time,
                NullLogger<PostgresBrokerStore>.Instance,
                isAlone: false,
                byDatabase: false
            )
        )
        {
            Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(samples.Opened(lease), default));
            Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(samples.Activated(lease.Id), default));
        }

        _connection = new(await File.ReadAllTextAsync(_schema.ConnectionStringFile));
        await _connection.OpenAsync();
        // When statistics are gathered is the test's to say.
        await _connection.ExecuteAsync(
            """
            ALTER TABLE lease SET (autovacuum_enabled = false);
            ALTER TABLE revocation_reach SET (autovacuum_enabled = false);
            ALTER TABLE revocation_order SET (autovacuum_enabled = false);
            ALTER TABLE idempotency SET (autovacuum_enabled = false);
            ALTER TABLE audit_record SET (autovacuum_enabled = false);
            -- One for all of them: a record each would be most of what is written here.
            INSERT INTO decision (number, id, lease, at, record)
              SELECT 1, '', l.id, 0, convert_from(r.bytes, 'UTF8')::json -> 'details' FROM lease l
              JOIN audit_record r ON r.stream = l.told_stream AND r.sequence = l.told_sequence;
            UPDATE lease SET decision = 1, told_stream = NULL, told_sequence = NULL;
            """
        );
        await CopyAsync(1, Past, "'revoked'", "t.opened_at", "'admin'", "t.expires_at");
        await _connection.ExecuteAsync(
            """
            INSERT INTO revocation_order (fence, id, selector, cause, reason, requested_by, requested_at, enumerated_at)
              SELECT n, 'order-' || n, '{"agent":"triage"}', 'admin', '', '', 0, 1 FROM generate_series(1, 10000) n;
            INSERT INTO idempotency (caller_key, key, request_hash, lease, at)
              SELECT 'caller', 'key-' || n, 'hash', '', 0 FROM generate_series(1, 10000) n;
            ANALYZE;
            INSERT INTO audit_record (stream, sequence, bytes) SELECT 2, n, '' FROM generate_series(1, 100000) n;
            """
        );
        await CopyAsync(Past + 1, Past + Revoking, "'revoking'", "NULL", "'admin'", "t.expires_at");
        await CopyAsync(
            Past + Revoking + 1,
            Past + Revoking + Live,
            "'active'",
            "NULL",
            "NULL",
            "t.expires_at + 3600000 * (n % 100)"
        );
        await _connection.ExecuteAsync(
            $"""
            INSERT INTO revocation_reach (revocation, lease)
              SELECT 'order-' || n % 10, lpad(to_hex(n), 32, '0') FROM generate_series({Past + Live + 1}, {Past
                + Live
                + Revoking}) n;
            """
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        _schema?.Dispose();
    }

    [Fact]
    public async Task What_the_broker_asks_all_the_time_costs_what_there_is_to_do()
    {
        var template = await _connection.QuerySingleAsync<string>("SELECT max(id) FROM lease");
        // Of those that are live, the first of a hundred are due then.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(
            await _connection.QuerySingleAsync<long>(
                "SELECT expires_at + 1 FROM lease WHERE id = @template",
                new { template }
            )
        );
        var tooMuch = new List<string>();
        foreach (var statistics in new[] { "of before", "of now" })
        {
            foreach (var (question, (ask, pages)) in Questions)
            {
                var reads = new CountedReads(_connection);
                var clock = new StoreClock(_time);
                await ask(
                    new(
                        new SqlLeaseReader(reads, clock, NullLogger.Instance),
                        new SqlRevocationReader(reads, NullLogger.Instance),
                        new SqlHoldReader(reads, clock),
                        new SqlIdempotencyReader(reads, clock),
                        template
                    ),
                    now
                );
                if (reads.Pages > pages)
                {
                    tooMuch.Add(
                        $"{question}, statistics {statistics}: {reads.Pages} pages, not {pages}\n{reads.Plans}"
                    );
                }
            }

            await _connection.ExecuteAsync("ANALYZE;");
        }

        Assert.True(tooMuch.Count == 0, string.Join("\n\n", tooMuch));
    }

    private static string IdOf(int number) => $"{number:x32}";

    /// <summary>Copies of the one lease that the store has made, in another state.</summary>
    private async Task CopyAsync(int first, int last, string state, string confirmedAt, string cause, string expiresAt)
    {
        var own = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["id"] = "lpad(to_hex(n), 32, '0')",
            ["state"] = state,
            ["instance"] = "'worker-' || n % 100",
            ["backend"] = "'backend-' || n % 3",
            ["vault_lease_id"] = "'database/creds/billing/' || n",
            ["confirmed_at"] = confirmedAt,
            ["cause"] = cause,
            ["expires_at"] = expiresAt,
        };
        var columns = (
            await _connection.QueryAsync<string>(
                """
                SELECT column_name FROM information_schema.columns
                WHERE table_schema = current_schema() AND table_name = 'lease' AND is_generated = 'NEVER'
                """
            )
        ).AsList();
        await _connection.ExecuteAsync(
            $"""
            INSERT INTO lease ({string.Join(", ", columns)})
            SELECT {string.Join(", ", columns.Select(column => own.GetValueOrDefault(column, $"t.{column}")))}
            FROM generate_series({first}, {last}) n, (SELECT * FROM lease ORDER BY id DESC LIMIT 1) t ORDER BY n
            """
        );
    }

    /// <summary>The store's readers, and a lease that there is.</summary>
    private sealed record Readers(
        ILeaseReader Leases,
        IRevocationReader Revocations,
        IHoldReader Holds,
        IIdempotencyReader Idempotency,
        string Template
    );

    /// <summary>Counts the pages that each query touches, and carries it out.</summary>
    private sealed class CountedReads(NpgsqlConnection connection) : SqlReads
    {
        public long Pages { get; private set; }

        public string Plans { get; private set; } = "";

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
            var plan = await connection.QuerySingleAsync<string>(
                $"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}",
                parameters
            );
            using var json = JsonDocument.Parse(plan);
            var root = json.RootElement[0].GetProperty("Plan");
            Pages +=
                root.GetProperty("Shared Hit Blocks").GetInt64() + root.GetProperty("Shared Read Blocks").GetInt64();
            Plans += $"{plan}\n";
            return (await connection.QueryAsync<T>(sql, parameters)).AsList();
        }

        public override string IsAmong(string column, string parameter) => $"{column} = ANY(@{parameter})";

        public override string IsAmongMany(string column, string parameter) =>
            $"{column} IN (SELECT json_array_elements_text(CAST(@{parameter} AS json)))";

        public override string IsAmongFound(string column, string query) => $"{column} = ANY(ARRAY({query}))";
    }
}
