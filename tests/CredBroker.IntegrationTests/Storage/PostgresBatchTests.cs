using System.Globalization;
using System.IO.Pipelines;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// What PostgreSQL's writer sends for a batch: few trips, and nothing that it reads ahead, assumes or puts off makes an
/// answer another one than SQLite's, which does one statement after the other.
/// </summary>
public sealed class PostgresBatchTests(SharedPostgres shared) : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    private const int Rounds = 100;
    private const string Unwritable = "a row that cannot be written";
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-store-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private StallingProxy _proxy = null!;
    private PostgresSchema _schema = null!;
    private PostgresBrokerStore _store = null!;
    private StoreSamples _samples = null!;

    public async ValueTask InitializeAsync()
    {
        var postgres = await shared.GetAsync();
        (_proxy, _schema, _samples) = (new(postgres.Port), await PostgresSchema.MakeAsync(postgres), new(_time));
        _schema.LeadTo(_proxy.Port);
        _store = PostgresBrokerStore.Open(
            _schema.Options,
            _time,
            NullLogger<PostgresBrokerStore>.Instance,
            isAlone: false,
            byDatabase: false
        );
        // It listens on a connection of its own, whose trips are no batch's.
        await Eventually.BecomesTrueAsync(
            async () =>
                await postgres.CountAsync($"pg_stat_activity WHERE usename = '{_schema.Name}' AND query LIKE 'LISTEN%'")
                == 1,
            "the store listens"
        );
    }

    public async ValueTask DisposeAsync()
    {
        _store?.Dispose();
        _schema?.Dispose();
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_batch_takes_a_few_trips_however_many_changes_it_has()
    {
        // A hold is in force, and five leases share each task: neither is read for each of them.
        await InTripsAsync(9, [_samples.Held(new() { Agent = "another" })]);
        var leases = Enumerable
            .Range(0, 100)
            .Select(i => _samples.Lease(_samples.Decision(task: $"t-{i / 5}")))
            .ToList();
        await InTripsAsync(
            6,
            leases.Select(
                (lease, i) =>
                    _samples.Opened(lease, idempotency: new IdempotencyClaim("caller", $"key-{i}", "hash", null))
            )
        );
        await InTripsAsync(7, leases.Select(lease => _samples.Claimed(lease.Id)));
        await InTripsAsync(7, leases.Select(lease => StoreSamples.Revoked(lease.Id)));
    }

    [Fact]
    public async Task Rows_of_a_kind_are_one_statement_and_each_is_its_own()
    {
        var leases = Enumerable.Range(0, 100).Select(i => _samples.Lease(_samples.Decision(task: $"t-{i}"))).ToList();

        await CommittedAsync(leases.Select(lease => _samples.Opened(lease)));

        await using var connection = new NpgsqlConnection(await File.ReadAllTextAsync(_schema.ConnectionStringFile));
        await connection.OpenAsync();
        foreach (var table in new[] { "lease", "task", "activity" })
        {
            // What one command of a transaction has written bears its number.
            Assert.Equal(1, await CountAsync($"SELECT count(DISTINCT (xmin::text, cmin::text)) FROM {table}"));
        }

        Assert.Equal(
            100,
            await CountAsync(
                """
                SELECT count(*) FROM lease l
                JOIN audit_record r ON r.stream = l.told_stream AND r.sequence = l.told_sequence
                WHERE convert_from(r.bytes, 'UTF8')::jsonb @> jsonb_build_object(
                  'lease', l.id, 'details', jsonb_build_object('task', jsonb_build_object('id', l.task)))
                """
            )
        );
        Assert.Equal(100, await CountAsync("SELECT sum(issued)::bigint FROM activity"));

        Task<long> CountAsync(string sql) => connection.QuerySingleAsync<long>(sql);
    }

    [Fact]
    public async Task Leases_become_active_in_a_few_trips()
    {
        var leases = Enumerable.Range(0, 100).Select(i => _samples.Lease(_samples.Decision(task: $"t-{i}"))).ToList();
        await InTripsAsync(6, leases.Select(lease => _samples.Opened(lease)));
        await InTripsAsync(7, leases.Select(lease => _samples.Activated(lease.Id)));
    }

    [Fact]
    public async Task Leases_become_active_in_a_few_trips_while_something_is_held()
    {
        await InTripsAsync(9, [_samples.Held(new() { Agent = "another" })]);
        var leases = Enumerable.Range(0, 100).Select(i => _samples.Lease(_samples.Decision(task: $"t-{i}"))).ToList();
        await InTripsAsync(6, leases.Select(lease => _samples.Opened(lease)));
        await InTripsAsync(9, leases.Select(lease => _samples.Activated(lease.Id)));
    }

    [Fact]
    public async Task A_held_lease_does_not_become_active_in_a_batch_of_others_that_do()
    {
        var (free, held, late) = (
            _samples.Lease(_samples.Decision(task: "t-1")),
            _samples.Lease(_samples.Decision(task: "t-2")),
            _samples.Lease(_samples.Decision(task: "t-3"))
        );
        await CommittedAsync([_samples.Opened(free), _samples.Opened(held)]);
        await CommittedAsync([_samples.Held(new() { Task = "t-2" })]);

        // The last one is opened, held and activated in the one batch: nothing was there to be read ahead.
        var outcomes = await Task.WhenAll(
            await TogetherAsync([
                _samples.Opened(late),
                _samples.Activated(free.Id),
                _samples.Activated(held.Id),
                _samples.Held(new() { Task = "t-3" }),
                _samples.Activated(late.Id),
            ])
        );

        Assert.Equal([true, true, false, true, false], outcomes.Select(outcome => outcome is CommitOutcome.Committed));
        Assert.Equal(
            [GuardFailure.Held, GuardFailure.Held],
            outcomes.OfType<CommitOutcome.GuardFailed>().Select(failed => failed.Reason)
        );
    }

    [Fact]
    public async Task A_batch_does_what_one_statement_after_the_other_does()
    {
        using var sqlite = SqliteBrokerStore.Open(
            new() { SqliteFile = Path.Combine(_directory, "broker.db") },
            _time,
            NullLogger<SqliteBrokerStore>.Instance
        );
        var (dice, leases, decision, seen) = (
            new Dice(7),
            new List<Lease>(),
            _samples.Decision(),
            new HashSet<string>()
        );
        for (var round = 0; round < Rounds; round++)
        {
            _time.Advance(TimeSpan.FromSeconds(20));
            leases.RemoveRange(0, Math.Max(0, leases.Count - 12));
            var tasks = $"t-{round / 5}";
            leases.AddRange(Enumerable.Range(0, 4).Select(_ => Lease(dice, tasks)));
            // Few kinds, so that they meet each other; in few changes all that is assumed is often so, in many hardly ever.
            var kinds = Kinds(dice, leases, tasks);
            var chosen = Enumerable.Range(0, 3).Select(_ => dice.Of(kinds)).ToList();
            var changes = Enumerable.Range(0, dice.Of([3, 6, 12, 60])).Select(_ => dice.Of(chosen)()).ToList();
            await sqlite.CommitAsync(StoreSamples.Recorded(), default);
            var expected = await SaidAsync(changes.Select(change => sqlite.CommitAsync(change, default).AsTask()));
            seen.UnionWith(expected);
            Assert.Equal(expected, await SaidAsync(await TogetherAsync(changes)));
            foreach (var lease in leases)
            {
                Assert.Equal(
                    await StateAsync(sqlite, lease.Id, decision),
                    await StateAsync(_store, lease.Id, decision)
                );
            }
        }

        Assert.Contains(Unwritable, seen);
        foreach (
            var guard in new[]
            {
                GuardFailure.TaskOwnedByAnother,
                GuardFailure.TaskClosed,
                GuardFailure.Revoked,
                GuardFailure.Held,
                GuardFailure.IdempotencyTaken,
                GuardFailure.DeadlinePassed,
                GuardFailure.NotFound,
                GuardFailure.WrongState,
            }
        )
        {
            Assert.Contains($"{new CommitOutcome.GuardFailed(guard)}", seen);
        }
    }

    [Fact]
    public async Task A_key_is_free_for_who_replaces_a_lease_that_ended_in_the_same_batch()
    {
        var lease = _samples.Lease();
        await CommittedAsync([_samples.Opened(lease, idempotency: new("caller", "key", "hash", null))]);
        await CommittedAsync([_samples.Claimed(lease.Id)]);
        var said = await Task.WhenAll(
            await TogetherAsync([
                _samples.Opened(idempotency: new("caller", "key", "hash", null)),
                StoreSamples.Revoked(lease.Id),
                _samples.Opened(idempotency: new("caller", "key", "hash", lease.Id)),
                _samples.Opened(idempotency: new("caller", "key", "hash", lease.Id)),
            ])
        );
        Assert.Equal(new CommitOutcome.GuardFailed(GuardFailure.IdempotencyTaken), said[0]);
        Assert.IsType<CommitOutcome.Committed>(said[1]);
        Assert.IsType<CommitOutcome.Committed>(said[2]);
        Assert.Equal(new CommitOutcome.GuardFailed(GuardFailure.IdempotencyTaken), said[3]);
    }

    [Fact]
    public async Task The_stream_goes_on_after_a_repair_of_the_clock_that_was_lost()
    {
        var lease = _samples.Lease();
        await CommittedAsync([_samples.Opened(lease)]);
        await CommittedAsync([_samples.Claimed(lease.Id)]);
        // The first commit of a new stream ends its own session. A sequence is not rolled back.
        await _schema.ExecuteAsync(
            $"""
            CREATE SEQUENCE attempts;
            CREATE FUNCTION ends_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {_schema.Name} AS $$
            BEGIN
              IF (SELECT count(*) > 1 FROM audit_stream) AND nextval('attempts') = 1 THEN
                PERFORM pg_terminate_backend(pg_backend_pid());
              END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER ends_once BEFORE UPDATE ON writer FOR EACH ROW EXECUTE FUNCTION ends_once();
            """
        );
        // The first of them, when they are made again one by one, records nothing.
        await CommittedAsync([
            _samples.Claimed(lease.Id),
            StoreSamples.Recorded(),
            new StateChange.ClockRepaired { Event = StoreSamples.Event(ClockRepaired.TypeName) },
            StoreSamples.Recorded(),
        ]);
        await CommittedAsync([StoreSamples.Recorded()]);
        using var log = new MemoryStream();
        await new AuditExport(_store).WriteAsync(
            PipeWriter.Create(log, new(leaveOpen: true)),
            null,
            null,
            null,
            default
        );
        log.Position = 0;
        var chain = await AuditVerifier.VerifyAsync(log, [], default);
        Assert.Null(chain.Fault);
        Assert.Equal(2, chain.Streams.Count);
        Assert.Equal(await _schema.CountAsync("audit_record"), chain.Records);
    }

    private static string Name(Dice dice, string noun, int count) =>
        $"{noun}-{dice.Of([.. Enumerable.Range(0, count)]).ToString(CultureInfo.InvariantCulture)}";

    private Lease Lease(Dice dice, string tasks) =>
        _samples.Lease(_samples.Decision(task: Name(dice, tasks, 3), instance: Name(dice, "i", 8)));

    /// <summary>Any change, of leases that others of the batch change, too.</summary>
    private IReadOnlyList<Func<StateChange>> Kinds(Dice dice, List<Lease> leases, string tasks)
    {
        return
        [
            () => _samples.Opened(Some(), dice.Of([0, 1000, 1000])),
            () => _samples.Opened(New(), 1000),
            () => _samples.Opened(New(), 1000, dice.Chance(0.2) ? new("https://idp.example", "stranger") : null),
            () => _samples.Opened(New(), 1000, idempotency: new("caller", Name(dice, tasks, 3), "hash", null)),
            () => _samples.Opened(New(), 1000, idempotency: new("caller", Name(dice, tasks, 3), "hash", Some().Id)),
            () => _samples.Activated(Some().Id),
            () => _samples.Activated(leases[^1].Id),
            () => _samples.Renewed(Some().Id, dice.Of([0, 1000])),
            () => _samples.Claimed(Some().Id, by: dice.Of(["worker-1", "worker-2"]), order: "order-1"),
            () => _samples.Claimed(Some().Id, by: null, order: dice.Of(["order-1", "order-2", null])),
            () => _samples.Failed(Some().Id),
            () => _samples.AccessorRevoked(Some().Id),
            () => StoreSamples.Revoked(Some().Id),
            () => StoreSamples.Ended(Some().Id, "order-1"),
            () => StoreSamples.Recorded(Some().Id, StoreSamples.Handles),
            () => StoreSamples.Late(_samples.NewId(), Some().Id),
            () => _samples.Ordered(new() { Instance = Name(dice, "i", 8) }),
            () => _samples.Closed(Name(dice, tasks, 3)),
            () => StoreSamples.Barred(Name(dice, tasks, 5)),
            () => _samples.Held(new() { Instance = Name(dice, "i", 8) }, TimeSpan.FromMinutes(1)),
            () => new StateChange.All([_samples.Activated(Some().Id), StoreSamples.Revoked(Some().Id)]),
        ];

        Lease Some() => dice.Of(leases);

        Lease New()
        {
            leases.Add(Lease(dice, tasks));
            return leases[^1];
        }
    }

    /// <summary>All of them in one batch: the writer is kept from coming back until they wait for it.</summary>
    private async Task<IReadOnlyList<Task<CommitOutcome>>> TogetherAsync(IEnumerable<StateChange> changes)
    {
        _proxy.Stall();
        var first = _store.CommitAsync(StoreSamples.Recorded(), default);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(_proxy.IsHolding), "the writer is under way");
        var together = changes.Select(change => _store.CommitAsync(change, default).AsTask()).ToList();
        _proxy.Flow();
        await first;
        return together;
    }

    private async Task InTripsAsync(int trips, IEnumerable<StateChange> changes)
    {
        var before = _proxy.PostgresTrips;
        await CommittedAsync(changes);
        Assert.InRange(_proxy.PostgresTrips - before, 4, trips);
    }

    private async Task CommittedAsync(IEnumerable<StateChange> changes)
    {
        foreach (var outcome in await Task.WhenAll(await TogetherAsync(changes)))
        {
            Assert.IsType<CommitOutcome.Committed>(outcome);
        }
    }

    /// <summary>What each was answered, but for what differs from store to store: the stream's name.</summary>
    private static async Task<List<string>> SaidAsync(IEnumerable<Task<CommitOutcome>> outcomes)
    {
        var said = new List<string>();
        foreach (var outcome in outcomes)
        {
            try
            {
                said.Add(
                    await outcome switch
                    {
                        CommitOutcome.Committed done => $"{done.At:O} {done.Event?.Sequence} {done.Number}",
                        var refused => $"{refused}",
                    }
                );
            }
            catch (StoreUnavailableException)
            {
                said.Add(Unwritable);
            }
        }

        return said;
    }

    /// <summary>All that is known of the lease, but for what it was decided from: that prints no two times alike.</summary>
    private static async Task<string> StateAsync(IBrokerStore store, string leaseId, DecisionRecord decision) =>
        await store.Leases.FindAsync(leaseId, default) is { } lease
            ? $"{lease.Decision.Task.Id} {lease with { Decision = decision }}"
            : "none";
}
