using System.Diagnostics;
using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using CredBroker.Testing.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Storage;

/// <summary>What is particular to a store in a file.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-store-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    private string FilePath => Path.Combine(_directory, "data", "broker.db");

    [Fact]
    public void A_second_broker_on_the_same_file_is_told_why_it_does_not_start()
    {
        using var first = Open();
        var refused = Assert.Throws<StoreUnavailableException>(() => Open());
        Assert.Contains("Another broker uses", refused.Message, StringComparison.Ordinal);
        Assert.Contains("stop the other one", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_broker_that_comes_through_a_link_is_refused_too()
    {
        using var first = Open();
        var link = Path.Combine(_directory, "link.db");
        File.CreateSymbolicLink(link, FilePath);
        Assert.Throws<StoreUnavailableException>(() => Open(link));
    }

    [Fact]
    public void A_second_broker_that_comes_through_a_hard_link_is_refused_too()
    {
        NeedsLinux();
        using var first = Open();
        var link = Path.Combine(_directory, "hard.db");
        using (var made = Process.Start("ln", [FilePath, link]))
        {
            Assert.True(made.WaitForExit(Patience.Limit));
        }

        var refused = Assert.Throws<StoreUnavailableException>(() => Open(link));
        Assert.Contains("under another name", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(link + "-wal"));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("", true)]
    [InlineData("-wal", false)]
    public async Task A_file_that_is_deleted_or_replaced_takes_nothing_more_and_can_still_be_read(
        string suffix,
        bool isReplaced
    )
    {
        NeedsLinux();
        var samples = new StoreSamples(_time);
        using var store = Open();
        var lease = samples.Lease();
        await CommitAsync(store, samples.Opened(lease));
        Assert.Null(store.Fault);

        var (file, away) = (FilePath + suffix, Path.Combine(_directory, "away"));
        File.Move(file, away);
        if (isReplaced)
        {
            File.WriteAllText(file, "");
        }

        // Every commit looks; what requests ask is looked at ten times a second.
        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await store.CommitAsync(samples.Opened(), default)
        );
        Assert.Contains("Nothing was committed", refused.Message, StringComparison.Ordinal);
        Assert.Equal(lease.Id, (await store.Leases.FindAsync(lease.Id, default))?.Id);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(store.Fault is not null));
        Assert.Contains("deleted or replaced", store.Fault, StringComparison.Ordinal);

        // Put back, it goes on.
        File.Move(away, file, overwrite: true);
        await store.WatchAsync(default);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(store.Fault is null));
        await CommitAsync(store, samples.Opened());
    }

    [Fact]
    public async Task A_lock_that_somebody_holds_keeps_a_change_for_a_moment_only()
    {
        using var store = Open();
        using (Lock())
        {
            var start = Stopwatch.GetTimestamp();
            await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(_ =>
                        Assert.ThrowsAsync<StoreUnavailableException>(async () =>
                            await store.CommitAsync(StoreSamples.Recorded(), default)
                        )
                    )
            );
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(4));
            Assert.NotNull(store.Fault);
        }

        await store.WatchAsync(default);
        Assert.Null(store.Fault);
    }

    [Fact]
    public async Task A_full_disk_gives_up_what_is_kept_for_revocations_and_gets_it_back()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_directory, "disk")).FullName;
        await using var disk = await SmallDisk.MountAsync(folder, megabytes: 12);
        Assert.SkipWhen(disk is null, "No small disk can be mounted here; that takes root.");
        var path = Path.Combine(folder, "broker.db");
        Open(path, reserve: 4).Dispose();
        Assert.False(File.Exists(path + "-wal"));
        await disk.FillAsync();

        // A start needs room, too. What it gave up is there again, and is given up again.
        using (var full = Open(path, reserve: 4))
        {
            Assert.Contains("full", full.Fault, StringComparison.Ordinal);
            await CommitAsync(full, StoreSamples.Recorded());
        }

        disk.Free();
        using var store = Open(path, reserve: 4);
        Assert.Null(store.Fault);
        await disk.FillAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
        {
            for (var i = 0; i < 300; i++)
            {
                await store.CommitAsync(StoreSamples.Recorded(), default);
            }
        });

        // Nothing that only tells something takes it, nor the look whether the disk is full still.
        await store.WatchAsync(default);
        Assert.Contains("full", store.Fault, StringComparison.Ordinal);
        Assert.True(File.Exists(path + "-reserve"));

        // Given up for an order, which is on record.
        var samples = new StoreSamples(_time);
        await CommitAsync(store, samples.Ordered(new() { Credential = "billing" }));
        Assert.Contains("full", store.Fault, StringComparison.Ordinal);
        Assert.False(File.Exists(path + "-reserve"));
        await CommitAsync(store, samples.Ordered(new() { Credential = "billing" }));
        await store.WatchAsync(default);
        Assert.NotNull(store.Fault);

        disk.Free();
        await store.WatchAsync(default);
        Assert.Null(store.Fault);
    }

    [Fact]
    public void The_file_is_free_again_after_closing()
    {
        Open().Dispose();
        Open().Dispose();
    }

    [Fact]
    public async Task Only_the_brokers_user_can_read_the_files()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes.");
        }

        using var store = Open();
        await store.CommitAsync(StoreSamples.Recorded(), default);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.GetDirectoryName(FilePath)!)
        );
        var files = Directory.GetFiles(Path.GetDirectoryName(FilePath)!);
        Assert.Equal(5, files.Length);
        Assert.All(
            files,
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file))
        );
    }

    [Fact]
    public void More_changes_than_may_wait_are_refused_at_once()
    {
        using var store = Open(maxWaiting: 16);
        using var blocked = Lock();
        var commits = Enumerable
            .Range(0, 200)
            .Select(_ => store.CommitAsync(StoreSamples.Recorded(), default).AsTask())
            .ToList();
        blocked.Dispose();
        Assert.All(commits, commit => Assert.True(commit.IsFaulted || commit.Wait(Patience.Limit)));

        // Which of them is not said: on a busy machine the writer may give a batch up, and take more, in between.
        Assert.Contains(
            commits,
            commit =>
                commit.Exception?.InnerException is StoreUnavailableException { Message: var why }
                && why.Contains("overloaded", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_commit_that_waits_can_be_cancelled()
    {
        using var store = Open();
        using var blocked = Lock();
        using var cancellation = new CancellationTokenSource();
        var first = store.CommitAsync(StoreSamples.Recorded(), default).AsTask();
        var second = store.CommitAsync(StoreSamples.Recorded(), cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        blocked.Dispose();
        await first;
        try
        {
            await second;
        }
        catch (OperationCanceledException)
        {
            Assert.Equal(2, store.Position.AuditHead.Sequence);
        }
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_with_its_path()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllText(FilePath, new string('x', 10_000));
        Assert.Contains(
            FilePath,
            Assert.Throws<StoreUnavailableException>(() => Open()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_store_of_a_newer_broker_is_refused()
    {
        Open().Dispose();
        Execute(
            "INSERT INTO SchemaVersions (ScriptName, Applied) "
                + "VALUES ('CredBroker.Storage.Migrations.Sqlite.9999_future.sql', '2030-01-01')"
        );
        Assert.Contains(
            "newer broker",
            Assert.Throws<StoreUnavailableException>(() => Open()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_damaged_lease_does_not_stop_the_work_on_others()
    {
        var samples = new StoreSamples(_time);
        using var store = Open();
        var leases = new[] { samples.Lease(), samples.Lease(), samples.Lease() };
        foreach (var lease in leases)
        {
            await CommitAsync(store, samples.Opened(lease));
        }

        Execute($"UPDATE lease SET told_sequence = 1 WHERE id = '{leases[0].Id}'");
        Execute($"UPDATE lease SET told_sequence = -1 WHERE id = '{leases[1].Id}'");
        Assert.Equal(
            [leases[2].Id],
            (
                await store.Leases.FindWorkAsync(
                    LeaseWork.PendingPastDeadline,
                    _time.GetUtcNow().AddHours(1),
                    10,
                    _ => true,
                    default
                )
            ).Leases.Select(lease => lease.Id)
        );
        Assert.Equal([leases[2].Id], (await store.Leases.ListAsync(new(), default)).Leases.Select(lease => lease.Id));
        Assert.Contains(
            leases[0].Id,
            (
                await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
                    await store.Leases.FindAsync(leases[0].Id, default)
                )
            ).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_damaged_row_is_said_once_and_again_when_something_else_is_wrong_with_it()
    {
        var (samples, said) = (new StoreSamples(_time), new Lines());
        using var store = SqliteBrokerStore.Open(new() { SqliteFile = FilePath }, _time, said);
        var (lease, order) = (samples.Lease(), samples.Ordered(new() { Credential = "billing" }));
        await CommitAsync(store, samples.Opened(lease));
        await CommitAsync(store, order);
        Execute($"UPDATE lease SET told_sequence = 1 WHERE id = '{lease.Id}'");
        Execute($"UPDATE revocation_order SET selector = '{{' WHERE id = '{order.Order.Id}'");
        for (var pass = 0; pass < 3; pass++)
        {
            await store.Leases.ListAsync(new(), default);
            await store.Revocations.FindOpenAsync(10, _ => true, default);
        }

        Assert.Equal([5106, 5107], said.Critical);
        Execute($"UPDATE lease SET told_sequence = -1 WHERE id = '{lease.Id}'");
        await store.Leases.ListAsync(new(), default);
        Assert.Equal([5106, 5107, 5106], said.Critical);
    }

    [Fact]
    public async Task A_store_from_before_there_were_holds_takes_them_and_loses_nothing()
    {
        var samples = new StoreSamples(_time);
        var lease = samples.Lease();
        using (var store = Open())
        {
            await CommitAsync(store, samples.Opened(lease));
        }

        Execute("DROP TABLE hold");
        Execute("DELETE FROM SchemaVersions WHERE ScriptName LIKE '%0002_holds.sql'");
        using (var store = Open())
        {
            Assert.Equal(lease.Id, (await store.Leases.FindAsync(lease.Id, default))?.Id);
            await CommitAsync(store, samples.Held(new() { Agent = "triage" }));
            Assert.Equal(
                new CommitOutcome.GuardFailed(GuardFailure.Held),
                await store.CommitAsync(samples.Opened(), default)
            );
        }
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"aFieldOfALaterVersion":"x"}""")]
    public async Task A_hold_whose_selector_cannot_be_read_holds_everything_until_it_is_lifted(string damaged)
    {
        var samples = new StoreSamples(_time);
        var held = samples.Held(new() { Agent = "somebody-else" });
        using (var store = Open())
        {
            await CommitAsync(store, held);
            await CommitAsync(store, samples.Opened());
        }

        Execute($"UPDATE hold SET selector = '{damaged}'");
        using (var store = Open())
        {
            Assert.Equal(
                new CommitOutcome.GuardFailed(GuardFailure.Held),
                await store.CommitAsync(samples.Opened(), default)
            );
            Assert.True(Assert.Single(await store.Holds.ListInForceAsync(default)).Selector.Everything);
            await CommitAsync(store, StoreSamples.Lifted(held.Hold.Id));
            await CommitAsync(store, samples.Opened());
        }
    }

    [Fact]
    public void A_path_below_a_file_is_refused()
    {
        var file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        Assert.Throws<StoreUnavailableException>(() => Open(Path.Combine(file, "broker.db")));
    }

    [Theory]
    [InlineData("UPDATE audit_record SET sequence = 7")]
    [InlineData("DELETE FROM audit_record")]
    public void The_audit_log_is_append_only(string sql)
    {
        Open().Dispose();
        Assert.Contains(
            "append-only",
            Assert.Throws<SqliteException>(() => Execute(sql)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Outdated_idempotency_keys_are_taken_away()
    {
        var samples = new StoreSamples(_time);
        using (var store = Open())
        {
            for (var i = 0; i < 40; i++)
            {
                Assert.IsType<CommitOutcome.Committed>(
                    await store.CommitAsync(
                        samples.Opened(idempotency: new("caller", $"key-{i}", "hash", null)),
                        default
                    )
                );
                _time.Advance(TimeSpan.FromHours(2));
            }
        }

        Assert.InRange(Execute("SELECT count(*) FROM idempotency"), 1, 13);
    }

    [Fact]
    public void Settings_that_cannot_work_are_named_together()
    {
        Assert.Empty(new StorageOptions().Validate());
        Assert.Equal(
            2,
            new StorageOptions { SqliteFile = ":memory:", MaxWaiting = 0 }
                .Validate()
                .Count
        );
        Assert.Single(new StorageOptions { SqliteFile = " " }.Validate());
        Assert.Single(new StorageOptions { SqliteFile = _directory }.Validate());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static void NeedsLinux() =>
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Which file a path leads to is compared on Linux.");

    private sealed class Lines : ILogger<SqliteBrokerStore>
    {
        /// <summary>The ids of the critical events, in their order.</summary>
        public List<int> Critical { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (logLevel == LogLevel.Critical)
            {
                Critical.Add(eventId.Id);
            }
        }
    }

    private SqliteBrokerStore Open(string? path = null, int maxWaiting = 4096, int reserve = 1) =>
        SqliteBrokerStore.Open(
            new()
            {
                SqliteFile = path ?? FilePath,
                MaxWaiting = maxWaiting,
                ReserveMegabytes = reserve,
            },
            _time,
            NullLogger<SqliteBrokerStore>.Instance
        );

    private static async Task CommitAsync(SqliteBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));

    private long Execute(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as long? ?? 0;
    }

    /// <summary>Holds the database's write lock, as a backup tool may, until disposed.</summary>
    private SqliteTransaction Lock() => Connect().BeginTransaction();

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = FilePath, Pooling = false }.ToString()
        );
        connection.Open();
        return connection;
    }
}
