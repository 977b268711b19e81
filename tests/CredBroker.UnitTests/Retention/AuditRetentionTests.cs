using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Readiness;
using CredBroker.Core.Retention;
using CredBroker.Core.State;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Retention;

/// <summary>What is old enough moves into files, and files and log verify as one.</summary>
public sealed class AuditRetentionTests : IAsyncLifetime
{
    private static readonly TimeSpan KeepFor = TimeSpan.FromDays(3);

    private readonly TemporaryFolder _folder = new();
    private LosingStore<StateChange.ArchivedDeleted> _store = null!;
    private BrokerHarness _broker = null!;
    private AuditRetention _retention = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync(wrapStore: store => _store = new(store));
        _retention = Retention(new() { KeepFor = KeepFor, ArchiveTo = _folder.Path });
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Nothing_is_archived_unless_the_settings_say_so_or_before_its_time()
    {
        await WriteAsync(10);
        _broker.Time.Advance(KeepFor + TimeSpan.FromHours(23));
        await _retention.RunAsync(CancellationToken.None);
        await Retention(new()).RunAsync(CancellationToken.None);
        _broker.Time.Advance(TimeSpan.FromDays(1000));
        await Retention(new()).RunAsync(CancellationToken.None);

        Assert.Empty(Archives());
        Assert.Equal(11, (await _broker.EventsAsync()).Count(e => Type(e) is "test.event" or StreamOpened.TypeName));
    }

    [Fact]
    public async Task What_is_old_is_in_a_file_and_no_longer_in_the_store_and_both_verify_as_one()
    {
        await WriteAsync(AuditRetention.BatchSize + 10);
        var everything = await VerifyAsync(await ExportAsync());
        _broker.Time.Advance(TimeSpan.FromDays(10));
        await WriteAsync(5, "test.later");

        await _retention.RunAsync(CancellationToken.None);

        var archive = Assert.Single(Archives());
        Assert.Equal(["test.later", AuditArchived.TypeName], (await _broker.EventsAsync()).Select(Type).Distinct());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(archive));
        }

        var archived = await VerifyAsync(await File.ReadAllBytesAsync(archive));
        Assert.Equal((everything.Records, everything.Streams[^1].Head), (archived.Records, archived.Streams[^1].Head));

        // The rest alone says after what it begins and where that is.
        var rest = await VerifyAsync(await ExportAsync());
        var head = archived.Streams[^1].Head;
        Assert.False(rest.IsWhole);
        Assert.Contains(
            $"begins after record {head.Sequence} of stream {head.Stream} with hash {head.Hash}",
            rest.Range,
            StringComparison.Ordinal
        );
        Assert.Contains($"archived in {Path.GetFileName(archive)}", rest.Range, StringComparison.Ordinal);

        // Nor does it pass for what was demanded, if that is more.
        var demanded = _broker.Time.GetUtcNow() - TimeSpan.FromDays(11);
        Assert.NotNull((await JudgeAsync(await ExportAsync(_broker.Audit, demanded), demanded)).Fault);
        Assert.Null(
            (
                await JudgeAsync(
                    await ExportAsync(_broker.Audit, _broker.Time.GetUtcNow() - KeepFor),
                    _broker.Time.GetUtcNow() - KeepFor
                )
            ).Fault
        );

        var both = await VerifyAsync([.. await File.ReadAllBytesAsync(archive), .. await ExportAsync()]);
        Assert.True(both.IsWhole, both.Range);
        Assert.Equal(everything.Records + 6, both.Records);
        Assert.DoesNotContain(both.NotProven, open => open.Contains("before the first", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_archive_goes_on_where_the_one_before_ends_and_none_can_be_left_out()
    {
        for (var round = 0; round < 3; round++)
        {
            await WriteAsync(20);
            _broker.Time.Advance(TimeSpan.FromDays(10));
            await _retention.RunAsync(CancellationToken.None);
            await _retention.RunAsync(CancellationToken.None);
        }

        var archives = new List<byte[]>();
        foreach (var file in Archives().Order(StringComparer.Ordinal))
        {
            archives.Add(await File.ReadAllBytesAsync(file));
        }

        var rest = await ExportAsync();
        Assert.Equal(3, archives.Count);
        Assert.True((await VerifyAsync([.. archives.SelectMany(bytes => bytes), .. rest])).IsWhole);
        Assert.False((await VerifyAsync([.. archives[1], .. archives[2], .. rest])).IsWhole);
        Assert.NotNull((await JudgeAsync([.. archives[0], .. archives[2], .. rest])).Fault);
        Assert.NotNull((await JudgeAsync([.. archives[0], .. archives[1], .. rest])).Fault);
    }

    [Fact]
    public async Task Streams_go_in_their_order_and_where_the_clock_was_set_back_nothing_younger_goes_along()
    {
        var (time, path) = (new JumpingTime(_broker.Time), Path.Combine(_folder.Path, "store", "broker.db"));
        var archives = Directory.CreateDirectory(Path.Combine(_folder.Path, "archives")).FullName;
        for (var start = 0; start < 3; start++)
        {
            using var earlier = Open();
            await earlier.CommitAsync(StoreSamples.Recorded(), default);
            time.Advance(TimeSpan.FromDays(1));
        }

        using var store = Open();
        time.Advance(TimeSpan.FromDays(10));
        await store.CommitAsync(StoreSamples.Recorded(StoreSamples.Event("test.ahead")), default);
        time.Offset = TimeSpan.FromDays(-9);
        await new ClockRepair(store, time).RepairAsync("it is right", BrokerHarness.Admin, BrokerHarness.Call, default);
        await store.CommitAsync(StoreSamples.Recorded(StoreSamples.Event("test.after")), default);
        var retention = new AuditRetention(
            store,
            store,
            new() { KeepFor = KeepFor, ArchiveTo = archives },
            NullLogger<AuditRetention>.Instance
        );

        // The stream with the time ahead is not old enough, so that nothing of the one after it goes, which is.
        time.Advance(TimeSpan.FromDays(5));
        await retention.RunAsync(default);
        var first = await VerifyAsync(await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(archives))));
        var rest = await VerifyAsync(await ExportAsync(store));
        Assert.Equal(4, first.Streams.Count);
        Assert.Contains("is archived in", rest.Range, StringComparison.Ordinal);
        Assert.True((await VerifyAsync(await AllAsync())).IsWhole);

        time.Advance(TimeSpan.FromDays(30));
        await retention.RunAsync(default);
        Assert.Equal(2, Directory.GetFiles(archives).Length);
        Assert.Equal(1, (await VerifyAsync(await ExportAsync(store))).Records);
        Assert.True((await VerifyAsync(await AllAsync())).IsWhole);

        SqliteBrokerStore Open() =>
            SqliteBrokerStore.Open(new() { SqliteFile = path }, time, NullLogger<SqliteBrokerStore>.Instance);

        async Task<byte[]> AllAsync()
        {
            var all = new MemoryStream();
            foreach (var file in Directory.GetFiles(archives).Order(StringComparer.Ordinal))
            {
                await all.WriteAsync(await File.ReadAllBytesAsync(file));
            }

            await all.WriteAsync(await ExportAsync(store));
            return all.ToArray();
        }
    }

    [Fact]
    public async Task What_was_archived_and_not_deleted_is_deleted_by_the_next_run_unless_its_file_was_touched()
    {
        await WriteAsync(10);
        var before = (await _broker.EventsAsync()).Count;
        _broker.Time.Advance(TimeSpan.FromDays(10));
        _store.Lost = true;
        await _retention.RunAsync(CancellationToken.None);
        _store.Lost = false;
        var archive = Assert.Single(Archives());

        // Archived, and in the store still: an export does not reach back all the same.
        Assert.Single((await VerifyAsync(await ExportAsync())).Streams);
        Assert.Contains("is archived in", (await VerifyAsync(await ExportAsync())).Range, StringComparison.Ordinal);
        Assert.Equal(before + 1, await CountAsync());

        var bytes = await File.ReadAllBytesAsync(archive);
        await File.WriteAllBytesAsync(archive, bytes[..^40]);
        await _retention.RunAsync(CancellationToken.None);
        Assert.Equal(before + 1, await CountAsync());

        File.Delete(archive);
        await _retention.RunAsync(CancellationToken.None);
        Assert.Equal(before + 1, await CountAsync());

        await File.WriteAllBytesAsync(archive, bytes);
        await _retention.RunAsync(CancellationToken.None);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task A_file_of_another_log_under_the_same_name_is_kept_and_nothing_is_deleted()
    {
        await WriteAsync(10);
        _broker.Time.Advance(TimeSpan.FromDays(10));
        var first = (await _broker.EventsAsync())[0].GetProperty("stream").GetString();
        var path = Path.Combine(_folder.Path, $"credbroker-audit-{first}-000000000001.jsonl");
        await using (var restored = await BrokerHarness.StartAsync())
        {
            await File.WriteAllBytesAsync(path, await ExportAsync(restored.Audit));
        }

        var (kept, count) = (await File.ReadAllBytesAsync(path), await CountAsync());
        await _retention.RunAsync(CancellationToken.None);

        Assert.Equal(kept, await File.ReadAllBytesAsync(path));
        Assert.Equal(count, await CountAsync());
    }

    [Fact]
    public async Task The_store_lets_nothing_go_that_is_not_archived()
    {
        await WriteAsync(10);
        Assert.Contains(
            "append-only",
            Assert.Throws<SqliteException>(() => Execute("DELETE FROM audit_record")).Message,
            StringComparison.Ordinal
        );
        _broker.Time.Advance(TimeSpan.FromDays(10));
        await WriteAsync(10);
        await _retention.RunAsync(CancellationToken.None);
        Assert.Contains(
            "append-only",
            Assert.Throws<SqliteException>(() => Execute("DELETE FROM audit_record")).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(11, await CountAsync());
    }

    [Fact]
    public async Task While_an_archive_does_not_verify_no_newer_one_is_begun_and_none_of_its_records_goes()
    {
        await WriteAsync(10);
        _broker.Time.Advance(TimeSpan.FromDays(10));
        _store.Lost = true;
        await _retention.RunAsync(CancellationToken.None);
        _store.Lost = false;
        var archive = Assert.Single(Archives());
        var bytes = await File.ReadAllBytesAsync(archive);
        await File.WriteAllBytesAsync(archive, bytes[..^40]);
        await WriteAsync(10, "test.later");
        _broker.Time.Advance(KeepFor + TimeSpan.FromDays(2));
        var count = await CountAsync();

        await _retention.RunAsync(CancellationToken.None);

        Assert.Equal(archive, Assert.Single(Archives()));
        Assert.Equal(count, await CountAsync());

        // Nor does the store itself take a newer one, or let go of another's records than those that were verified.
        var head = _broker.Store.Position.AuditHead;
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _broker.Store.CommitAsync(Archived(new(head, "file", count, _broker.Time.GetUtcNow())), default)
        );
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _broker.Store.CommitAsync(
                new StateChange.ArchivedDeleted
                {
                    End = head,
                    Limit = AuditRetention.BatchSize,
                    Event = null,
                },
                default
            )
        );

        await File.WriteAllBytesAsync(archive, bytes);
        await _retention.RunAsync(CancellationToken.None);
        Assert.Equal(2, Archives().Length);
        Assert.Equal(1, await CountAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_was_put_in_an_archive_s_place_is_adopted_only_as_one_export_of_everything(bool hasGap)
    {
        var ends = new List<DateTimeOffset>();
        for (var part = 0; part < 3; part++)
        {
            await WriteAsync(10, $"test.part{part}");
            _broker.Time.Advance(TimeSpan.FromMinutes(1));
            ends.Add(_broker.Time.GetUtcNow());
        }

        byte[] forged =
        [
            .. await ExportAsync(_broker.Audit, null, ends[0]),
            .. await ExportAsync(_broker.Audit, hasGap ? ends[1] : ends[0], ends[2]),
        ];
        Assert.Equal(
            hasGap,
            (await VerifyAsync(forged)).NotProven.Any(open => open.Contains("lie between", StringComparison.Ordinal))
        );
        var first = (await _broker.EventsAsync())[0].GetProperty("stream").GetString();
        var path = Path.Combine(_folder.Path, $"credbroker-audit-{first}-000000000001.jsonl");
        await File.WriteAllBytesAsync(path, forged);
        _broker.Time.Advance(TimeSpan.FromDays(10));
        var count = await CountAsync();

        await _retention.RunAsync(CancellationToken.None);

        Assert.Equal(count, await CountAsync());
        Assert.Equal(forged, await File.ReadAllBytesAsync(Assert.Single(Archives())));
    }

    [Fact]
    public async Task What_was_half_written_when_the_disk_was_full_is_gone_at_once()
    {
        await WriteAsync(10);
        _broker.Time.Advance(TimeSpan.FromDays(10));
        var retention = new AuditRetention(
            _broker.Store,
            new EndingLog(_broker.Audit),
            new() { KeepFor = KeepFor, ArchiveTo = _folder.Path },
            NullLogger<AuditRetention>.Instance
        );

        await retention.RunAsync(CancellationToken.None);

        Assert.Empty(Archives());
        await _retention.RunAsync(CancellationToken.None);
        Assert.Single(Archives());
    }

    [Fact]
    public async Task A_record_whose_hash_is_another_is_not_archived()
    {
        var head = _broker.Store.Position.AuditHead;
        var archive = new AuditArchive(head, "file", await CountAsync(), _broker.Time.GetUtcNow());
        var noHash = archive with { End = head with { Hash = AuditPosition.NoHash } };
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.NotFound),
            await _broker.Store.CommitAsync(Archived(noHash), default)
        );
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _broker.Store.CommitAsync(Archived(archive with { Records = archive.Records - 1 }), default)
        );
        Assert.IsType<CommitOutcome.Committed>(await _broker.Store.CommitAsync(Archived(archive), default));
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _broker.Store.CommitAsync(Archived(archive), default)
        );
    }

    [Fact]
    public void Settings_that_would_lose_records_or_show_them_are_faults()
    {
        var open = Directory.CreateDirectory(Path.Combine(_folder.Path, "open")).FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(open, (UnixFileMode)0b111_111_111);
            Assert.Contains(
                "others may write",
                Assert.Single(new AuditOptions { ArchiveTo = open }.Validate()),
                StringComparison.Ordinal
            );
            File.SetUnixFileMode(open, (UnixFileMode)0b111_111_000);
            Assert.Contains(
                "chmod go-w",
                Assert.Single(new AuditOptions { ArchiveTo = open }.Validate()),
                StringComparison.Ordinal
            );
        }

        Assert.Empty(new AuditOptions().Validate());
        Assert.Empty(new AuditOptions { KeepFor = KeepFor, ArchiveTo = _folder.Path }.Validate());
        Assert.Contains(
            "is missing",
            Assert.Single(new AuditOptions { KeepFor = KeepFor }.Validate()),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "absolute",
            Assert.Single(new AuditOptions { KeepFor = KeepFor, ArchiveTo = "archive" }.Validate()),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no directory",
            Assert.Single(new AuditOptions { KeepFor = KeepFor, ArchiveTo = _broker.StoreFile }.Validate()),
            StringComparison.Ordinal
        );
        Assert.Equal(
            2,
            new AuditOptions { KeepFor = TimeSpan.FromMinutes(1) }
                .Validate()
                .Count()
        );
        Assert.Equal(
            2,
            new AuditOptions { KeepFor = TimeSpan.MaxValue }
                .Validate()
                .Count()
        );
    }

    private AuditRetention Retention(AuditOptions options) =>
        new(_broker.Store, _broker.Audit, options, NullLogger<AuditRetention>.Instance);

    private string[] Archives() => Directory.GetFiles(_folder.Path);

    private async Task WriteAsync(int count, string type = "test.event")
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, count)
                .Select(_ =>
                    _broker.Store.CommitAsync(StoreSamples.Recorded(StoreSamples.Event(type)), default).AsTask()
                )
        );
        _broker.Time.Advance(TimeSpan.FromSeconds(1));
    }

    private Task<byte[]> ExportAsync() => ExportAsync(_broker.Audit);

    private static StateChange.AuditArchived Archived(AuditArchive archive) =>
        new()
        {
            Archive = archive,
            Event = new()
            {
                What = new AuditArchived { Archive = archive },
                Actor = AuditActor.Broker("retention"),
            },
        };

    private static async Task<byte[]> ExportAsync(IAuditLog log, DateTimeOffset? from = null, DateTimeOffset? to = null)
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await new AuditExport(log).WriteAsync(pipe, from, to, null, default);
        await pipe.CompleteAsync();
        return file.ToArray();
    }

    private static async Task<AuditVerification> JudgeAsync(byte[] file, DateTimeOffset? from = null) =>
        await AuditVerifier.VerifyAsync(new MemoryStream(file), [], default, from);

    private static async Task<AuditVerification> VerifyAsync(byte[] file)
    {
        var verification = await JudgeAsync(file);
        Assert.Null(verification.Fault);
        return verification;
    }

    private static string? Type(System.Text.Json.JsonElement record) => record.GetProperty("type").GetString();

    private Task<long> CountAsync() => Task.FromResult(Execute("SELECT count(*) FROM audit_record"));

    private long Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_broker.StoreFile};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as long? ?? 0;
    }

    /// <summary>A log of which the third record cannot be written anywhere.</summary>
    private sealed class EndingLog(IAuditLog log) : IAuditLog
    {
        public ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken) =>
            log.ArchivedAsync(cancellationToken);

        public async IAsyncEnumerable<AuditRecord> ReadAsync(
            DateTimeOffset from,
            DateTimeOffset to,
            AuditCursor? after,
            [EnumeratorCancellation] CancellationToken cancellationToken
        )
        {
            var read = 0;
            await foreach (var record in log.ReadAsync(from, to, after, cancellationToken))
            {
                yield return ++read < 3 ? record : throw new IOException("No space left on device");
            }
        }

        public ValueTask<AuditPrefix?> PrefixAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
            log.PrefixAsync(before, cancellationToken);
    }
}
