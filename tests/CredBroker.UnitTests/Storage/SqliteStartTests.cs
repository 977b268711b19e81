using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Servers;
using CredBroker.Testing.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Storage;

/// <summary>A start on a file that cannot be written: what is known is read, nothing is taken, and later all is as it was.</summary>
public sealed class SqliteStartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-start-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    private string FilePath => Path.Combine(_directory, "disk", "broker.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_disk_without_a_reserve_starts_and_goes_on_when_there_is_room(bool hasCrashed)
    {
        await using var disk = await DiskAsync();
        var lease = await FilledAsync(hasCrashed);
        await disk.FillAsync();

        await AssertRevokesOnlyAsync(lease, () => Task.Run(disk.Free));
    }

    [Fact]
    public async Task A_disk_that_can_only_be_read_starts_and_goes_on_when_it_can_be_written()
    {
        await using var disk = await DiskAsync();
        var lease = await FilledAsync(hasCrashed: true);
        await disk.RemountAsync("ro");

        await AssertRevokesOnlyAsync(lease, () => disk.RemountAsync("rw"));
    }

    [Fact]
    public async Task Rights_that_are_missing_do_the_same()
    {
        var lease = await FilledAsync(hasCrashed: false);
        File.Delete(FilePath + ".lock");
        Directory.CreateDirectory(FilePath + ".lock");

        await AssertRevokesOnlyAsync(lease, () => Task.Run(() => Directory.Delete(FilePath + ".lock")));
    }

    [Fact]
    public async Task A_file_that_another_broker_uses_or_that_is_no_store_does_not_start()
    {
        await FilledAsync(hasCrashed: false);
        using (Start())
        {
            Assert.Contains(
                "Another broker uses",
                Assert.Throws<StoreUnavailableException>(Start).Message,
                StringComparison.Ordinal
            );
        }

        await File.WriteAllTextAsync(FilePath, new string('x', 10_000));
        Assert.Throws<StoreUnavailableException>(Start);
    }

    private async Task AssertRevokesOnlyAsync(string lease, Func<Task> setRight)
    {
        using (var store = Start())
        {
            Assert.Contains("only revokes", store.Fault, StringComparison.Ordinal);
            Assert.Equal(lease, (await store.Leases.FindAsync(lease, default))?.Id);
            Assert.Equal(4, store.Position.AuditHead.Sequence);
            await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
                await store.CommitAsync(StoreSamples.Recorded(), default)
            );
            await store.WatchAsync(default);
            Assert.NotNull(store.Fault);
            Assert.NotEmpty(await AuditAsync(store));

            Assert.Single(Copies());

            await setRight();
            await store.WatchAsync(default);
            Assert.Null(store.Fault);
            Assert.Empty(Copies());
            Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(StoreSamples.Recorded(), default));
            Assert.Equal(lease, (await store.Leases.FindAsync(lease, default))?.Id);
        }

        Assert.Empty(Copies());
    }

    private static string[] Copies() =>
        Directory.GetDirectories(Path.GetTempPath(), $"credbroker-copy-{Environment.ProcessId}-*");

    /// <summary>A store with one active lease; of a crash its log is left.</summary>
    private async Task<string> FilledAsync(bool hasCrashed)
    {
        var samples = new StoreSamples(_time);
        var made = Path.Combine(_directory, "made", "broker.db");
        var lease = samples.Lease();
        using var store = Open(made);
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(samples.Opened(lease), default));
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(samples.Activated(lease.Id), default));
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(StoreSamples.Recorded(), default));
        if (!hasCrashed)
        {
            using var connection = new SqliteConnection($"Data Source={made};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            command.ExecuteNonQuery();
        }

        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.Copy(made, FilePath);
        File.Copy(made + "-wal", FilePath + "-wal");
        await File.WriteAllTextAsync(FilePath + ".lock", "");
        return lease.Id;
    }

    private SqliteStart Start() => new(Options(FilePath), _time, NullLogger<SqliteBrokerStore>.Instance);

    private SqliteBrokerStore Open(string path) =>
        SqliteBrokerStore.Open(Options(path), _time, NullLogger<SqliteBrokerStore>.Instance);

    private static StorageOptions Options(string path) => new() { SqliteFile = path, ReserveMegabytes = 0 };

    private static async Task<List<AuditRecord>> AuditAsync(SqliteStart store)
    {
        var records = new List<AuditRecord>();
        await foreach (var record in store.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default))
        {
            records.Add(record);
        }

        return records;
    }

    private async Task<SmallDisk> DiskAsync()
    {
        var disk = Directory.CreateDirectory(Path.Combine(_directory, "disk")).FullName;
        var mounted = await SmallDisk.MountAsync(disk, megabytes: 4);
        Assert.SkipWhen(mounted is null, "No small disk can be mounted here; that takes root.");
        return mounted;
    }
}
