using System.IO.Pipelines;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>Several brokers on one schema: one chain, one clock, and what each hears of the others.</summary>
public sealed class PostgresBrokersTests : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    private const string Recorded = "test.event";

    private readonly SharedPostgres _shared;
    private readonly List<PostgresBrokerStore> _stores = [];
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly JumpingTime _clock;
    private TestPostgres _postgres = null!;
    private PostgresSchema _schema = null!;
    private StoreSamples _samples = null!;

    public PostgresBrokersTests(SharedPostgres shared) => (_shared, _clock) = (shared, new(_time));

    public async ValueTask InitializeAsync()
    {
        _postgres = await _shared.GetAsync();
        (_schema, _samples) = (await PostgresSchema.MakeAsync(_postgres), new(_time));
    }

    public ValueTask DisposeAsync()
    {
        _stores.ForEach(store => store.Dispose());
        _schema.Dispose();
        return default;
    }

    [Fact]
    public async Task All_append_to_one_chain_that_verifies_and_that_the_last_one_closes()
    {
        var (one, other) = (Open(), Open());
        for (var i = 0; i < 20; i++)
        {
            await Task.WhenAll(CommitAsync(one), CommitAsync(other));
        }

        one.Dispose();
        await CommitAsync(other);
        other.Dispose();
        var (verified, log) = await ExportAsync(Open());

        Assert.Null(verified.Fault);
        Assert.True(verified.IsWhole, verified.Range);
        Assert.Equal(2, verified.Streams.Count);
        Assert.True(verified.Streams[0].IsClosed);
        Assert.Equal(
            [
                StreamOpened.TypeName,
                BrokerJoined.TypeName,
                BrokerLeft.TypeName,
                StreamClosed.TypeName,
                StreamOpened.TypeName,
            ],
            log.Where(type => type != Recorded)
        );
        Assert.Equal(41, log.Count(type => type == Recorded));
    }

    [Fact]
    public async Task Each_record_says_which_broker_wrote_it()
    {
        var (one, other) = (Open(), Open());
        await CommitAsync(one);
        await CommitAsync(other);
        await CommitAsync(one);

        var writers = new List<(string Type, string Broker, string? Joined)>();
        await foreach (var record in one.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default))
        {
            var json = JsonElement.Parse(record.Bytes.Span);
            writers.Add(
                (
                    json.GetProperty("type").GetString()!,
                    json.GetProperty("broker").GetString()!,
                    json.TryGetProperty("details", out var details) && details.TryGetProperty("broker", out var joined)
                        ? joined.GetString()
                        : null
                )
            );
        }

        Assert.Equal(
            [StreamOpened.TypeName, BrokerJoined.TypeName, Recorded, Recorded, Recorded],
            writers.Select(writer => writer.Type)
        );
        var (first, second) = (writers[0].Broker, writers[1].Broker);
        Assert.NotEqual(first, second);
        Assert.Equal(second, writers[1].Joined);
        Assert.Equal([first, second, first], writers.Skip(2).Select(writer => writer.Broker));
        Assert.Null((await ExportAsync(one)).Verified.Fault);
    }

    [Fact]
    public async Task Who_was_cut_off_when_the_last_of_the_others_stopped_begins_a_stream_of_its_own()
    {
        var (one, other) = (Open(), Open());
        await CommitAsync(one);
        // Only the writers of the one: the schema's locks are theirs, in the order in which they came.
        await _postgres.ExecuteAsync(
            $"""
            SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'advisory' AND classid = 1668440691 AND usename = '{_schema.Name}' ORDER BY backend_start LIMIT 1
            """
        );
        await Eventually.BecomesTrueAsync(
            async () =>
                await _postgres.CountAsync(
                    $"pg_locks JOIN pg_stat_activity USING (pid) WHERE classid = 1668440691 AND usename = '{_schema.Name}'"
                ) == 1,
            "the one's lock is gone"
        );
        other.Dispose();
        await CommitAsync(one);
        await CommitAsync(one);

        var (verified, log) = await ExportAsync(one);
        Assert.Null(verified.Fault);
        Assert.Equal(2, verified.Streams.Count);
        Assert.Equal(
            [StreamOpened.TypeName, BrokerJoined.TypeName, StreamClosed.TypeName, StreamOpened.TypeName],
            log.Where(type => type != Recorded)
        );
        Assert.Equal(Recorded, log[^1]);
    }

    [Fact]
    public async Task Who_starts_drops_no_claim_of_one_that_lives_and_all_of_those_that_do_not()
    {
        var one = Open();
        var lease = _samples.Lease();
        await CommitAsync(one, _samples.Opened(lease));
        await CommitAsync(one, _samples.Claimed(lease.Id, by: "worker-of-one"));

        var other = Open();
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await other.CommitAsync(_samples.Claimed(lease.Id, by: "worker-of-other"), default)
        );

        one.Dispose();
        other.Dispose();
        await CommitAsync(Open(), _samples.Claimed(lease.Id, by: "worker-of-a-third"));
    }

    [Fact]
    public async Task A_flood_on_two_brokers_stops_at_exactly_the_limit()
    {
        PolicyLimit[] limits =
        [
            new()
            {
                Id = "per-credential",
                Per = LimitScope.Credential,
                MaxActive = 40,
            },
            new()
            {
                Id = "per-instance",
                Per = LimitScope.Instance,
                MaxIssued = new(3, TimeSpan.FromHours(1)),
            },
        ];
        PostgresBrokerStore[] brokers = [Open(), Open()];
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 1000)
                .Select(number =>
                    Task.Run(async () =>
                        await brokers[number % 2]
                            .CommitAsync(
                                _samples.Opened(_samples.Decision(instance: $"i-{number % 20}"), limits),
                                default
                            )
                    )
                )
        );

        // Twenty instances by three would be sixty.
        Assert.Equal(40, outcomes.OfType<CommitOutcome.Committed>().Count());
        Assert.Equal(
            960,
            outcomes.OfType<CommitOutcome.GuardFailed>().Count(failed => failed.Reason == GuardFailure.LimitReached)
        );
        var all = await brokers[0].Leases.ListAsync(new() { Limit = 1000 }, default);
        Assert.Equal(40, all.Leases.Count);
        Assert.All(
            all.Leases.CountBy(lease => lease.Decision.Identity.Instance),
            instance => Assert.InRange(instance.Value, 1, 3)
        );
    }

    [Fact]
    public async Task A_flood_of_denials_on_two_brokers_trips_one_wire()
    {
        var limit = new PolicyLimit
        {
            Id = "denied",
            Per = LimitScope.Instance,
            MaxDenied = new(10, TimeSpan.FromMinutes(5)),
            QuarantineFor = TimeSpan.FromMinutes(15),
        };
        PostgresBrokerStore[] brokers = [Open(), Open()];
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 300)
                .Select(number =>
                    Task.Run(async () =>
                        await brokers[number % 2].CommitAsync(_samples.Denied(_samples.Decision(), limit), default)
                    )
                )
        );

        Assert.Single(outcomes.OfType<CommitOutcome.Committed>(), outcome => outcome.Number > 0);
        Assert.Equal(300, outcomes.OfType<CommitOutcome.Committed>().Count());
        Assert.Single(await brokers[1].Holds.ListInForceAsync(default));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Two_at_two_brokers_who_decide_overlapping_groups_at_once_do_not_share_what_both_named(int quorum)
    {
        PostgresBrokerStore[] brokers = [Open(), Open()];
        for (var round = 0; round < 10; round++)
        {
            var asked = new List<Approval>();
            for (var number = 0; number < 3; number++)
            {
                var question = _samples.Asked(
                    demands: [StoreSamples.Demands[0] with { Quorum = quorum }],
                    digest: $"{round}-{number}"
                );
                await CommitAsync(brokers[number % 2], question);
                asked.Add(question.Approval);
            }

            // Each in an order of their own: neither waits for the other for ever.
            var outcomes = await Task.WhenAll(
                brokers[0].CommitAsync(Agreed("lead-1", asked[0], asked[1]), default).AsTask(),
                brokers[1].CommitAsync(Agreed("lead-2", asked[2], asked[1]), default).AsTask()
            );

            Assert.Single(outcomes.OfType<CommitOutcome.Committed>());
            Assert.Single(outcomes, new CommitOutcome.GuardFailed(GuardFailure.WrongState, null, 1));
            var first = outcomes[0] is CommitOutcome.Committed;
            string[][] expected = first
                ?
                [
                    ["lead-1"],
                    ["lead-1"],
                    [],
                ]
                :
                [
                    [],
                    ["lead-2"],
                    ["lead-2"],
                ];
            for (var number = 0; number < 3; number++)
            {
                var found = (await brokers[round % 2].Approvals.FindAsync(asked[number].Id, default))!;
                Assert.Equal(expected[number], found.Agreements.Select(agreement => agreement.Subject));
                Assert.Equal(
                    quorum == 1 && expected[number].Length > 0 ? ApprovalState.Approved : ApprovalState.Pending,
                    found.State
                );
                await CommitAsync(brokers[1], StoreSamples.Refused(found.Id));
            }
        }

        StateChange.All Agreed(string person, params Approval[] group) =>
            new([.. group.Select(one => _samples.Agreed(one.Id, person, 0, quorum == 1, one.Digest))]);
    }

    [Fact]
    public async Task What_one_has_committed_the_other_hears_of_at_once()
    {
        var (one, other) = (Open(), Open());
        var heard = 0;
        other.News += () => Interlocked.Increment(ref heard);
        await ListenAsync();

        // Nobody looks each second here: it is the notice alone.
        await CommitAsync(one, _samples.Ordered(new() { Agent = "triage" }));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(other.Position.Fence == 1), "the order is known");
        await CommitAsync(one, _samples.Held(new() { Agent = "triage" }));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(other.Position.Holds == 1), "the hold is known");
        await CommitAsync(one, StoreSamples.Policy(0, "hash"));
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(other.Position.PolicyVersion == 1 && Volatile.Read(ref heard) >= 3),
            "the policy version is known"
        );
    }

    [Fact]
    public async Task Who_does_not_listen_hears_of_it_at_the_next_look()
    {
        var (one, other) = (Open(), Open());
        var heard = 0;
        other.News += () => Interlocked.Increment(ref heard);
        await ListenAsync();
        // Their next attempt to listen waits for a clock that stands still.
        await _postgres.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM {Listening}");
        await Eventually.BecomesTrueAsync(async () => await _postgres.CountAsync(Listening) == 0, "nobody listens");
        await CommitAsync(one, _samples.Ordered(new() { Agent = "triage" }));
        await other.WatchAsync(default);
        Assert.Equal(1, other.Position.Fence);
        Assert.Equal(1, Volatile.Read(ref heard));
    }

    [Fact]
    public async Task A_repair_of_the_clock_by_one_is_followed_by_the_other()
    {
        var (one, other) = (Open(), Open());
        // So little that it is believed.
        _clock.Offset = TimeSpan.FromSeconds(50);
        await CommitAsync(one);
        await CommitAsync(other);
        var wrong = _clock.GetUtcNow();
        _clock.Offset = TimeSpan.Zero;
        await CommitAsync(other);
        Assert.Equal(wrong, other.Position.UtcNow);
        await CommitAsync(one, new StateChange.ClockRepaired { Event = StoreSamples.Event(ClockRepaired.TypeName) });
        await CommitAsync(other);
        await CommitAsync(one);

        Assert.True(one.Position.UtcNow < wrong);
        Assert.True(other.Position.UtcNow < wrong);
        var (verified, _) = await ExportAsync(other);
        Assert.Null(verified.Fault);
    }

    [Fact]
    public async Task Time_is_the_databases_whatever_the_clocks_of_brokers_say()
    {
        var behind = OpenByDatabase(new ShiftedTime(TimeSpan.FromMinutes(-3)));
        var ahead = OpenByDatabase(new ShiftedTime(TimeSpan.FromMinutes(3)));
        await CommitAsync(ahead);
        await CommitAsync(behind);
        var now = TimeProvider.System.GetUtcNow();
        Assert.InRange(behind.Position.UtcNow, now - TimeSpan.FromSeconds(2), now + TimeSpan.FromSeconds(2));
        Assert.InRange(ahead.Position.UtcNow, now - TimeSpan.FromSeconds(2), now + TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Five_that_start_at_once_on_an_empty_schema_all_come_up()
    {
        var stores = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(Open)));
        await Task.WhenAll(stores.Select(CommitAsync));
        var (verified, log) = await ExportAsync(stores[0]);
        Assert.Null(verified.Fault);
        Assert.Equal(4, log.Count(type => type == BrokerJoined.TypeName));
    }

    [Fact]
    public async Task Who_comes_back_to_a_schema_that_a_newer_version_has_changed_writes_nothing()
    {
        var store = Open();
        await CommitAsync(store);
        await _schema.ExecuteAsync("INSERT INTO schemaversions (scriptname, applied) VALUES ('9999_later.sql', now())");
        await _postgres.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{_schema.Name}'"
        );
        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => CommitAsync(store));
        Assert.Contains("A newer broker has changed", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, await _schema.CountAsync("audit_record"));
    }

    private string Listening => $"pg_stat_activity WHERE usename = '{_schema.Name}' AND query LIKE 'LISTEN%'";

    private Task ListenAsync() =>
        Eventually.BecomesTrueAsync(async () => await _postgres.CountAsync(Listening) == 2, "both listen");

    private PostgresBrokerStore Open() => Keep(_clock, byDatabase: false);

    private PostgresBrokerStore OpenByDatabase(TimeProvider time) => Keep(time, byDatabase: true);

    private PostgresBrokerStore Keep(TimeProvider time, bool byDatabase)
    {
        var store = PostgresBrokerStore.Open(
            _schema.Options,
            time,
            NullLogger<PostgresBrokerStore>.Instance,
            isAlone: false,
            byDatabase
        );
        lock (_stores)
        {
            _stores.Add(store);
        }

        return store;
    }

    private static Task CommitAsync(PostgresBrokerStore store) => CommitAsync(store, StoreSamples.Recorded());

    private static async Task CommitAsync(PostgresBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));

    /// <summary>What an export of everything says when it is verified, and the types of its records.</summary>
    private static async Task<(AuditVerification Verified, IReadOnlyList<string> Types)> ExportAsync(
        PostgresBrokerStore store
    )
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await new AuditExport(store).WriteAsync(pipe, null, null, null, default);
        await pipe.CompleteAsync();
        file.Position = 0;
        var verified = await AuditVerifier.VerifyAsync(file, [], default);
        var types = new List<string>();
        await foreach (var record in store.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default))
        {
            types.Add(AuditRecordHeader.Read(record.Bytes.Span)!.Type);
        }

        return (verified, types);
    }

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + shift;
    }
}
