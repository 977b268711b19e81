using System.IO.Pipelines;
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
    private RetentionHarness _of = null!;

    public async ValueTask InitializeAsync() => _of = await RetentionHarness.StartAsync();

    public ValueTask DisposeAsync() => _of.DisposeAsync();

    [Fact]
    public async Task Nothing_is_archived_unless_the_settings_say_so_or_before_its_time()
    {
        await _of.WriteAsync(10);
        _of.Broker.Time.Advance(RetentionHarness.KeepFor + TimeSpan.FromHours(23));
        await _of.Retention.RunAsync(CancellationToken.None);
        await _of.With(new()).RunAsync(CancellationToken.None);
        _of.Broker.Time.Advance(TimeSpan.FromDays(1000));
        await _of.With(new()).RunAsync(CancellationToken.None);

        Assert.Empty(_of.Archives());
        Assert.Equal(
            11,
            (await _of.Broker.EventsAsync()).Count(e =>
                RetentionHarness.Type(e) is "test.event" or StreamOpened.TypeName
            )
        );
    }

    [Fact]
    public async Task What_is_old_is_in_a_file_and_no_longer_in_the_store_and_both_verify_as_one()
    {
        await _of.WriteAsync(AuditRetention.BatchSize + 10);
        var everything = await RetentionHarness.VerifyAsync(await _of.ExportAsync());
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        await _of.WriteAsync(5, "test.later");

        await _of.Retention.RunAsync(CancellationToken.None);

        var archive = Assert.Single(_of.Archives());
        Assert.Equal(
            ["test.later", AuditArchived.TypeName],
            (await _of.Broker.EventsAsync()).Select(RetentionHarness.Type).Distinct()
        );
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(archive));
        }

        var archived = await RetentionHarness.VerifyAsync(await File.ReadAllBytesAsync(archive));
        Assert.Equal((everything.Records, everything.Streams[^1].Head), (archived.Records, archived.Streams[^1].Head));

        // The rest alone says after what it begins and where that is.
        var rest = await RetentionHarness.VerifyAsync(await _of.ExportAsync());
        var head = archived.Streams[^1].Head;
        Assert.False(rest.IsWhole);
        Assert.Contains(
            $"begins after record {head.Sequence} of stream {head.Stream} with hash {head.Hash}",
            rest.Range,
            StringComparison.Ordinal
        );
        Assert.Contains($"archived in {Path.GetFileName(archive)}", rest.Range, StringComparison.Ordinal);

        // Nor does it pass for what was demanded, if that is more.
        var demanded = _of.Broker.Time.GetUtcNow() - TimeSpan.FromDays(11);
        Assert.NotNull(
            (
                await RetentionHarness.JudgeAsync(
                    await RetentionHarness.ExportAsync(_of.Broker.Audit, demanded),
                    demanded
                )
            ).Fault
        );
        Assert.Null(
            (
                await RetentionHarness.JudgeAsync(
                    await RetentionHarness.ExportAsync(
                        _of.Broker.Audit,
                        _of.Broker.Time.GetUtcNow() - RetentionHarness.KeepFor
                    ),
                    _of.Broker.Time.GetUtcNow() - RetentionHarness.KeepFor
                )
            ).Fault
        );

        var both = await RetentionHarness.VerifyAsync([
            .. await File.ReadAllBytesAsync(archive),
            .. await _of.ExportAsync(),
        ]);
        Assert.True(both.IsWhole, both.Range);
        Assert.Equal(everything.Records + 6, both.Records);
        Assert.DoesNotContain(both.NotProven, open => open.Contains("before the first", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_archive_goes_on_where_the_one_before_ends_and_none_can_be_left_out()
    {
        for (var round = 0; round < 3; round++)
        {
            await _of.WriteAsync(20);
            _of.Broker.Time.Advance(TimeSpan.FromDays(10));
            await _of.Retention.RunAsync(CancellationToken.None);
            await _of.Retention.RunAsync(CancellationToken.None);
        }

        var archives = new List<byte[]>();
        foreach (var file in _of.Archives().Order(StringComparer.Ordinal))
        {
            archives.Add(await File.ReadAllBytesAsync(file));
        }

        var rest = await _of.ExportAsync();
        Assert.Equal(3, archives.Count);
        Assert.True((await RetentionHarness.VerifyAsync([.. archives.SelectMany(bytes => bytes), .. rest])).IsWhole);
        Assert.False((await RetentionHarness.VerifyAsync([.. archives[1], .. archives[2], .. rest])).IsWhole);
        Assert.NotNull((await RetentionHarness.JudgeAsync([.. archives[0], .. archives[2], .. rest])).Fault);
        Assert.NotNull((await RetentionHarness.JudgeAsync([.. archives[0], .. archives[1], .. rest])).Fault);
    }

    [Fact]
    public async Task Streams_go_in_their_order_and_where_the_clock_was_set_back_nothing_younger_goes_along()
    {
        var (time, path) = (new JumpingTime(_of.Broker.Time), Path.Combine(_of.Folder, "store", "broker.db"));
        var archives = Directory.CreateDirectory(Path.Combine(_of.Folder, "archives")).FullName;
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
            new() { KeepFor = RetentionHarness.KeepFor, ArchiveTo = archives },
            NullLogger<AuditRetention>.Instance
        );

        // The stream with the time ahead is not old enough, so that nothing of the one after it goes, which is.
        time.Advance(TimeSpan.FromDays(5));
        await retention.RunAsync(default);
        var first = await RetentionHarness.VerifyAsync(
            await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(archives)))
        );
        var rest = await RetentionHarness.VerifyAsync(await RetentionHarness.ExportAsync(store));
        Assert.Equal(4, first.Streams.Count);
        Assert.Contains("is archived in", rest.Range, StringComparison.Ordinal);
        Assert.True((await RetentionHarness.VerifyAsync(await AllAsync())).IsWhole);

        time.Advance(TimeSpan.FromDays(30));
        await retention.RunAsync(default);
        Assert.Equal(2, Directory.GetFiles(archives).Length);
        Assert.Equal(1, (await RetentionHarness.VerifyAsync(await RetentionHarness.ExportAsync(store))).Records);
        Assert.True((await RetentionHarness.VerifyAsync(await AllAsync())).IsWhole);

        SqliteBrokerStore Open() =>
            SqliteBrokerStore.Open(new() { SqliteFile = path }, time, NullLogger<SqliteBrokerStore>.Instance);

        async Task<byte[]> AllAsync()
        {
            var all = new MemoryStream();
            foreach (var file in Directory.GetFiles(archives).Order(StringComparer.Ordinal))
            {
                await all.WriteAsync(await File.ReadAllBytesAsync(file));
            }

            await all.WriteAsync(await RetentionHarness.ExportAsync(store));
            return all.ToArray();
        }
    }

    [Fact]
    public async Task The_store_lets_nothing_go_that_is_not_archived()
    {
        await _of.WriteAsync(10);
        Assert.Contains(
            "append-only",
            Assert.Throws<SqliteException>(() => _of.Execute("DELETE FROM audit_record")).Message,
            StringComparison.Ordinal
        );
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        await _of.WriteAsync(10);
        await _of.Retention.RunAsync(CancellationToken.None);
        Assert.Contains(
            "append-only",
            Assert.Throws<SqliteException>(() => _of.Execute("DELETE FROM audit_record")).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(11, await _of.CountAsync());
    }

    [Fact]
    public async Task A_record_whose_hash_is_another_is_not_archived()
    {
        var head = _of.Broker.Store.Position.AuditHead;
        var archive = new AuditArchive(head, "file", await _of.CountAsync(), _of.Broker.Time.GetUtcNow());
        var noHash = archive with { End = head with { Hash = AuditPosition.NoHash } };
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.NotFound),
            await _of.Broker.Store.CommitAsync(RetentionHarness.Archived(noHash), default)
        );
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _of.Broker.Store.CommitAsync(
                RetentionHarness.Archived(archive with { Records = archive.Records - 1 }),
                default
            )
        );
        Assert.IsType<CommitOutcome.Committed>(
            await _of.Broker.Store.CommitAsync(RetentionHarness.Archived(archive), default)
        );
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _of.Broker.Store.CommitAsync(RetentionHarness.Archived(archive), default)
        );
    }

    [Fact]
    public async Task A_long_log_goes_in_several_files_that_verify_as_one()
    {
        for (var part = 0; part < 5; part++)
        {
            await _of.WriteAsync(10);
        }

        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        var count = await _of.CountAsync();
        var retention = _of.With(new() { KeepFor = RetentionHarness.KeepFor, ArchiveTo = _of.Folder }, maxRecords: 25);

        await retention.RunAsync(CancellationToken.None);

        // The store's first record and twenty; what was written at one time stays together.
        Assert.Equal(3, _of.Archives().Length);
        var all = new MemoryStream();
        foreach (var file in _of.Archives())
        {
            var bytes = await File.ReadAllBytesAsync(file);
            Assert.InRange((await RetentionHarness.VerifyAsync(bytes)).Records, 1, 25);
            await all.WriteAsync(bytes);
        }

        await all.WriteAsync(await _of.ExportAsync());
        Assert.True((await RetentionHarness.VerifyAsync(all.ToArray())).IsWhole);

        // All but the last archive's own event, and those of the ones before it that are too young.
        Assert.Equal(3, await _of.CountAsync());
        Assert.True(count > 50);
    }
}
