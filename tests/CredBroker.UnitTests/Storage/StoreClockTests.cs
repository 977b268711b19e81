using System.IO.Pipelines;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Storage;
using CredBroker.UnitTests.Audit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Storage;

/// <summary>What the store's clock makes of a wall clock that jumps.</summary>
public sealed class StoreClockTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-store-").FullName;
    private readonly FakeTimeProvider _passing = new(Noon);
    private readonly JumpingTime _time;
    private readonly StoreSamples _samples;

    public StoreClockTests() => (_time, _samples) = (new(_passing), new(_passing));

    [Fact]
    public void A_jump_forward_is_not_believed_at_once_and_leaves_nothing_when_it_is_over()
    {
        var clock = new StoreClock(_time);
        _time.Offset = TimeSpan.FromDays(10);
        for (var second = 0; second < 299; second++)
        {
            Assert.Equal(_passing.GetUtcNow(), clock.Now());
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        _time.Offset = TimeSpan.Zero;
        Assert.Equal(_passing.GetUtcNow(), clock.Now());
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(_passing.GetUtcNow(), clock.Now());
    }

    [Fact]
    public void A_jump_forward_is_believed_when_it_has_stood()
    {
        var clock = new StoreClock(_time);
        _time.Offset = TimeSpan.FromDays(10);
        clock.Now();
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(_time.GetUtcNow(), clock.Now());
    }

    [Fact]
    public void A_wall_clock_that_jumps_about_is_never_believed()
    {
        var clock = new StoreClock(_time);
        for (var minute = 1; minute < 60; minute++)
        {
            _time.Offset = TimeSpan.FromDays(minute);
            Assert.Equal(_passing.GetUtcNow(), clock.Now());
            _time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public void A_small_step_forward_is_followed()
    {
        var clock = new StoreClock(_time);
        _time.Offset = TimeSpan.FromSeconds(59);
        Assert.Equal(_time.GetUtcNow(), clock.Now());
    }

    [Fact]
    public void A_clock_that_runs_slow_or_fast_is_followed_however_long()
    {
        foreach (var drift in new[] { -1, 1 })
        {
            var clock = new StoreClock(_time);
            for (var hour = 0; hour < 1000; hour++)
            {
                _time.Advance(TimeSpan.FromHours(1));
                _time.Offset += TimeSpan.FromSeconds(drift);
                Assert.Equal(_time.GetUtcNow(), clock.Now());
                Assert.Null(clock.Read().FallenAt);
            }
        }
    }

    [Fact]
    public void A_fallen_clock_stands_and_the_time_that_passes_is_counted()
    {
        var clock = new StoreClock(_time);
        clock.Now();
        _time.Offset = -TimeSpan.FromHours(1);
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(new ClockReading(Noon, Noon.AddMinutes(10), Noon), clock.Read());
        _time.Advance(TimeSpan.FromMinutes(60));
        Assert.Equal(new ClockReading(Noon.AddMinutes(10), Noon.AddMinutes(70), Noon), clock.Read());

        // Right again: nothing is left of it.
        _time.Offset = TimeSpan.Zero;
        Assert.Equal(new ClockReading(Noon.AddMinutes(70), Noon.AddMinutes(70), null), clock.Read());
    }

    [Fact]
    public async Task A_clock_that_falls_back_keeps_no_lease_past_its_end()
    {
        using var store = Open();
        var lease = await ActiveAsync(store);
        _time.Offset = -TimeSpan.FromHours(1);
        Assert.Empty(await ExpiredAsync(store));
        _time.Advance(TimeSpan.FromMinutes(3) + TimeSpan.FromMilliseconds(1));

        Assert.Equal(lease, Assert.Single(await ExpiredAsync(store)).Id);
        await CommitAsync(store, _samples.Claimed(lease, cause: RevocationCause.Expiry));
    }

    [Fact]
    public async Task A_clock_that_fell_while_the_broker_was_off_keeps_no_lease_past_its_end()
    {
        string lease;
        using (var before = Open())
        {
            lease = await ActiveAsync(before);
        }

        _time.Offset = -TimeSpan.FromHours(1);
        using var store = Open();
        Assert.Empty(await ExpiredAsync(store));
        _time.Advance(TimeSpan.FromMinutes(3) + TimeSpan.FromMilliseconds(1));

        Assert.Equal(lease, Assert.Single(await ExpiredAsync(store)).Id);
        await CommitAsync(store, _samples.Claimed(lease, cause: RevocationCause.Expiry));
    }

    [Fact]
    public void A_start_goes_on_counting_where_the_process_before_it_ended()
    {
        _time.Offset = -TimeSpan.FromHours(1);
        using (var before = Open())
        {
            // The store knows the time of its first batch alone: from here on it falls.
            _time.Offset = -TimeSpan.FromHours(10);
            _ = before.Position;
            _time.Advance(TimeSpan.FromHours(2));
        }

        using var store = Open();
        Assert.Equal(Noon.AddHours(-1), store.Position.UtcNow);
        Assert.Equal(Noon.AddHours(1), store.Position.Counted);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Noon.AddHours(1).AddMinutes(1), store.Position.Counted);
    }

    [Fact]
    public async Task A_lease_that_was_issued_after_the_clock_fell_has_its_whole_life()
    {
        using var store = Open();
        await ActiveAsync(store);
        _time.Offset = -TimeSpan.FromMinutes(1);
        _ = store.Position;
        _time.Advance(TimeSpan.FromMinutes(2));
        var opened = _samples.Lease() with { IssuanceDeadline = store.Position.Counted.AddSeconds(30) };
        await CommitAsync(store, _samples.Opened(opened));
        await CommitAsync(
            store,
            _samples.Activated(opened.Id) with
            {
                ExpiresAt = store.Position.UtcNow.AddMinutes(10),
            }
        );
        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.DoesNotContain(await ExpiredAsync(store), lease => lease.Id == opened.Id);
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await store.CommitAsync(_samples.Claimed(opened.Id, cause: RevocationCause.Expiry), default)
        );
        _time.Advance(TimeSpan.FromMinutes(1) + TimeSpan.FromMilliseconds(1));
        Assert.Contains(await ExpiredAsync(store), lease => lease.Id == opened.Id);
    }

    [Fact]
    public async Task A_jump_forward_is_not_persisted_and_ends_no_lease()
    {
        string lease;
        using (var store = Open())
        {
            lease = await ActiveAsync(store);
            _time.Offset = TimeSpan.FromDays(10);
            await CommitAsync(store, StoreSamples.Recorded());
            Assert.Empty(await ExpiredAsync(store));
        }

        // Not by a restart under the wrong clock either.
        using (var store = Open())
        {
            await CommitAsync(store, StoreSamples.Recorded());
            Assert.Empty(await ExpiredAsync(store));
        }

        _time.Offset = TimeSpan.Zero;
        using (var store = Open())
        {
            Assert.Equal(_passing.GetUtcNow(), store.Position.UtcNow);
            Assert.Equal(LeaseState.Active, (await store.Leases.FindAsync(lease, default))!.State);
        }
    }

    [Fact]
    public async Task A_broker_that_was_off_for_a_day_takes_the_time_as_it_is()
    {
        using (var store = Open())
        {
            await ActiveAsync(store);
        }

        _time.Advance(TimeSpan.FromHours(24));
        using (var store = Open())
        {
            Assert.Equal(_time.GetUtcNow(), store.Position.UtcNow);
            Assert.Single(await ExpiredAsync(store));
        }
    }

    [Fact]
    public void A_broker_that_was_off_for_more_than_a_day_says_that_its_clock_is_old_until_the_hosts_is_believed()
    {
        Open().Dispose();
        _time.Advance(TimeSpan.FromDays(3));
        using var store = Open();
        Assert.Equal((Noon, true), (store.Position.UtcNow, store.Position.IsStale));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((_time.GetUtcNow(), false), (store.Position.UtcNow, store.Position.IsStale));

        // A jump under a broker that runs is another matter: it has counted what passed.
        _time.Offset = TimeSpan.FromDays(10);
        Assert.Equal((_passing.GetUtcNow(), false), (store.Position.UtcNow, store.Position.IsStale));
    }

    [Fact]
    public void A_start_long_after_a_clock_fell_goes_by_what_was_counted()
    {
        _time.Offset = TimeSpan.FromDays(-5);
        Open().Dispose();
        // Right all the time but for what the store has persisted.
        var counted = Noon.AddDays(-5).AddDays(5).AddHours(1);
        Execute($"UPDATE store SET counted = {counted.ToUnixTimeMilliseconds()}");
        _time.Offset = TimeSpan.Zero;
        _time.Advance(TimeSpan.FromHours(2));
        using (var store = Open())
        {
            Assert.Equal((_time.GetUtcNow(), false), (store.Position.UtcNow, store.Position.IsStale));
        }

        Execute(
            $"UPDATE store SET clock = {Noon.AddDays(-5).ToUnixTimeMilliseconds()}, counted = {counted.ToUnixTimeMilliseconds()}"
        );
        _time.Advance(TimeSpan.FromDays(2));
        using (var store = Open())
        {
            Assert.Equal((Noon.AddDays(-5), counted), (store.Position.UtcNow, store.Position.Counted));
            Assert.Equal(Noon.AddDays(-5), store.Position.FallenAt);
        }
    }

    [Theory]
    [InlineData("INSERT ON audit_batch WHEN NEW.sequence = 1")]
    [InlineData("UPDATE ON store WHEN NEW.clock < OLD.clock")]
    public async Task A_repair_that_the_store_does_not_take_changes_nothing_and_is_repeated(string refused)
    {
        using var store = Open();
        _time.Offset = TimeSpan.FromDays(10);
        _ = store.Position;
        _time.Advance(TimeSpan.FromMinutes(5));
        await CommitAsync(store, StoreSamples.Recorded());
        _time.Offset = TimeSpan.Zero;
        var (wrong, stream) = (store.Position.UtcNow, store.Position.AuditHead.Stream);
        Execute($"CREATE TRIGGER refuse BEFORE {refused} BEGIN SELECT raise(ABORT, 'no'); END");

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.CommitAsync(Repaired(), default));

        Assert.Equal(wrong, store.Position.UtcNow);
        Execute("DROP TRIGGER refuse");
        await CommitAsync(store, StoreSamples.Recorded());
        Assert.Equal(stream, store.Position.AuditHead.Stream);
        await CommitAsync(store, Repaired());
        Assert.Equal(_time.GetUtcNow(), store.Position.UtcNow);
        Assert.NotEqual(stream, store.Position.AuditHead.Stream);
        await CommitAsync(store, StoreSamples.Recorded());
        await AssertVerifiesAsync(store);
    }

    [Fact]
    public async Task A_wrong_time_that_was_believed_is_repaired_and_the_log_verifies()
    {
        using var store = Open();
        var failed = await ActiveAsync(store);
        _time.Offset = TimeSpan.FromDays(10);
        _ = store.Position;
        _time.Advance(TimeSpan.FromMinutes(5));
        await CommitAsync(store, _samples.Claimed(failed));
        await CommitAsync(store, _samples.Failed(failed) with { NextAttemptAt = store.Position.UtcNow.AddSeconds(30) });
        var active = _samples.Lease() with { IssuanceDeadline = store.Position.UtcNow.AddSeconds(30) };
        await CommitAsync(store, _samples.Opened(active));
        await CommitAsync(
            store,
            _samples.Activated(active.Id) with
            {
                ExpiresAt = store.Position.UtcNow.AddMinutes(10),
                GraceUntil = store.Position.UtcNow.AddMinutes(10),
            }
        );

        _time.Offset = TimeSpan.Zero;
        Assert.Equal(_time.GetUtcNow().AddDays(10), store.Position.UtcNow);
        await CommitAsync(store, Repaired());

        Assert.Equal(_time.GetUtcNow(), store.Position.UtcNow);
        Assert.Equal(_time.GetUtcNow().AddMinutes(10), (await store.Leases.FindAsync(active.Id, default))!.ExpiresAt);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        var now = store.Position.UtcNow;
        var work = Assert.Single(await store.Leases.FindRevocationWorkAsync(now, default));
        var due = (await store.Leases.FindRevocationsAsync(work, now, 10, true, _ => true, default)).Leases;
        Assert.Equal(failed, Assert.Single(due).Id);
        await CommitAsync(store, StoreSamples.Recorded());
        await AssertVerifiesAsync(store);
    }

    [Fact]
    public async Task A_repaired_clock_stays_repaired_over_a_restart()
    {
        using (var store = Open())
        {
            _time.Offset = TimeSpan.FromDays(10);
            _ = store.Position;
            _time.Advance(TimeSpan.FromMinutes(5));
            await CommitAsync(store, StoreSamples.Recorded());
            _time.Offset = TimeSpan.Zero;
            await CommitAsync(store, Repaired());
        }

        using (var store = Open())
        {
            Assert.Equal(_time.GetUtcNow(), store.Position.UtcNow);
            await AssertVerifiesAsync(store);
        }
    }

    [Fact]
    public async Task A_right_time_that_is_not_believed_yet_is_believed_on_an_admins_word()
    {
        using var store = Open();
        _time.Offset = TimeSpan.FromDays(10);
        Assert.NotEqual(_time.GetUtcNow(), store.Position.UtcNow);
        await CommitAsync(store, Repaired());
        Assert.Equal(_time.GetUtcNow(), store.Position.UtcNow);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static StateChange.ClockRepaired Repaired() => new() { Event = StoreSamples.Event(ClockRepaired.TypeName) };

    private async Task<string> ActiveAsync(SqliteBrokerStore store)
    {
        var lease = _samples.Lease();
        await CommitAsync(store, _samples.Opened(lease));
        await CommitAsync(store, _samples.Activated(lease.Id));
        return lease.Id;
    }

    private static async ValueTask<IReadOnlyList<Lease>> ExpiredAsync(SqliteBrokerStore store) =>
        (await store.Leases.FindWorkAsync(LeaseWork.Expired, store.Position.UtcNow, 10, _ => true, default)).Leases;

    private static async Task CommitAsync(SqliteBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));

    /// <summary>Asserts that an export of everything verifies.</summary>
    private static async Task AssertVerifiesAsync(SqliteBrokerStore store)
    {
        using var export = new MemoryStream();
        var output = PipeWriter.Create(export, new StreamPipeWriterOptions(leaveOpen: true));
        await new AuditExport(store).WriteAsync(output, null, null, null, default);
        await output.CompleteAsync();
        var result = await AuditVerifierTests.VerifyAsync(export.ToArray());
        Assert.True(result.Holds, result.Fault?.What);
        Assert.True(result.Streams.Count > 1);
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection(
            $"Data Source={Path.Combine(_directory, "broker.db")};Pooling=False"
        );
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private SqliteBrokerStore Open() =>
        SqliteBrokerStore.Open(
            new() { SqliteFile = Path.Combine(_directory, "broker.db") },
            _time,
            NullLogger<SqliteBrokerStore>.Instance
        );
}
