using System.Runtime.CompilerServices;
using System.Text;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Retention;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;

namespace CredBroker.UnitTests.Retention;

/// <summary>The archives' files: where they may be, and what happens to one that is not what it should be.</summary>
public sealed class ArchiveFilesTests : IAsyncLifetime
{
    private RetentionHarness _of = null!;

    public async ValueTask InitializeAsync() => _of = await RetentionHarness.StartAsync();

    public ValueTask DisposeAsync() => _of.DisposeAsync();

    private AuditOptions Options => new() { KeepFor = RetentionHarness.KeepFor, ArchiveTo = _of.Folder };

    [Fact]
    public async Task What_was_archived_and_not_deleted_is_deleted_by_the_next_run()
    {
        var (archive, count) = await ArchivedInStoreAsync();

        // Archived, and in the store still: an export does not reach back all the same.
        var rest = await RetentionHarness.VerifyAsync(await _of.ExportAsync());
        Assert.Single(rest.Streams);
        Assert.Contains("is archived in", rest.Range, StringComparison.Ordinal);
        Assert.Equal(count, await _of.CountAsync());

        await _of.Retention.RunAsync(CancellationToken.None);
        Assert.Equal(archive, Assert.Single(_of.Archives()));
        Assert.Equal(1, await _of.CountAsync());
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("altered")]
    [InlineData("gone")]
    [InlineData("without its beginning")]
    public async Task An_archive_that_was_touched_is_written_again_while_the_store_has_it_and_kept_as_it_was(string how)
    {
        var (archive, _) = await ArchivedInStoreAsync();
        var bytes = await File.ReadAllBytesAsync(archive);
        var touched = how switch
        {
            "cut" => bytes[..^40],
            "altered" => (byte[])[.. bytes[..400], (byte)(bytes[400] ^ 1), .. bytes[401..]],
            "gone" => null,
            _ => await WithoutBeginningAsync(bytes),
        };
        File.Delete(archive);
        if (touched is not null)
        {
            await File.WriteAllBytesAsync(archive, touched);
        }

        await _of.Retention.RunAsync(CancellationToken.None);

        Assert.Equal(1, await _of.CountAsync());
        Assert.Equal(archive, Assert.Single(_of.Archives()));
        byte[] all = [.. await File.ReadAllBytesAsync(archive), .. await _of.ExportAsync()];
        Assert.True((await RetentionHarness.VerifyAsync(all)).IsWhole);
        Assert.Contains(
            "Warning: The audit archive " + archive + " does not verify",
            _of.Said,
            StringComparison.Ordinal
        );
        Assert.Equal(
            touched,
            Directory.GetFiles(_of.Folder, "*.damaged-1") is [var kept] ? await File.ReadAllBytesAsync(kept) : null
        );
    }

    [Fact]
    public async Task Of_a_damaged_archive_that_is_half_deleted_the_rest_goes_into_a_file_of_its_own()
    {
        var (archive, count) = await ArchivedInStoreAsync();
        var newest = await _of.Broker.Audit.ArchivedAsync(default);
        await _of.Broker.Store.CommitAsync(StoreSamples.Deleted(newest!.End, limit: 4), default);
        Assert.Equal(count - 4, await _of.CountAsync());
        var bytes = await File.ReadAllBytesAsync(archive);
        await File.WriteAllBytesAsync(archive, bytes[..^40]);

        await _of.Retention.RunAsync(CancellationToken.None);

        // Nobody has the first four but the damaged file, which stays as it is; what follows them is whole.
        Assert.Equal(1, await _of.CountAsync());
        Assert.Equal(bytes[..^40], await File.ReadAllBytesAsync(archive));
        Assert.Equal([archive, archive.Replace("0001.jsonl", "0005.jsonl", StringComparison.Ordinal)], _of.Archives());
        byte[] rest = [.. await File.ReadAllBytesAsync(_of.Archives()[1]), .. await _of.ExportAsync()];
        var verification = await RetentionHarness.VerifyAsync(rest);
        Assert.Equal(count - 4, verification.Records);
        Assert.Contains("begins after record 4", verification.Range, StringComparison.Ordinal);
        Assert.Contains("Error: The audit archive " + archive, _of.Said, StringComparison.Ordinal);
        Assert.Contains("put the file back from a copy", _of.Said, StringComparison.Ordinal);

        // From there on all is as ever.
        await _of.WriteAsync(5);
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        await _of.Retention.RunAsync(CancellationToken.None);
        Assert.Equal(3, _of.Archives().Length);
        Assert.Equal(1, await _of.CountAsync());
    }

    [Fact]
    public async Task An_archive_that_cannot_be_written_again_keeps_its_records_and_says_what_to_do()
    {
        var (archive, _) = await ArchivedInStoreAsync();
        await File.WriteAllTextAsync(archive, "damaged");
        var count = await _of.CountAsync();
        var full = _of.With(Options, new EndingLog(_of.Broker.Audit));

        await full.RunAsync(CancellationToken.None);

        Assert.Equal(count, await _of.CountAsync());
        Assert.Contains("No space left", _of.Said, StringComparison.Ordinal);
        await _of.Retention.RunAsync(CancellationToken.None);
        Assert.Equal(1, await _of.CountAsync());
        Assert.Equal("damaged", await File.ReadAllTextAsync(archive + ".damaged-1"));
    }

    [Fact]
    public async Task Nothing_is_committed_or_deleted_over_a_file_whose_name_is_not_on_disk()
    {
        await _of.WriteAsync(10);
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        var count = await _of.CountAsync();
        var failing = _of.With(Options, flush: _ => throw new IOException("Input/output error"));

        await failing.RunAsync(CancellationToken.None);
        Assert.Equal(count, await _of.CountAsync());
        Assert.Contains("Input/output error", _of.Said, StringComparison.Ordinal);

        await ArchivedInStoreAsync();
        count = await _of.CountAsync();
        await failing.RunAsync(CancellationToken.None);
        Assert.Equal(count, await _of.CountAsync());
        await _of.Retention.RunAsync(CancellationToken.None);

        // The file that was not relied on was adopted, and what came later has one of its own.
        Assert.Equal(2, _of.Archives().Length);
        Assert.Equal(2, await _of.CountAsync());
    }

    [Fact]
    public async Task Disk_that_the_broker_needs_is_not_filled_with_archives()
    {
        await _of.WriteAsync(10);
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        var count = await _of.CountAsync();
        var disk = Directory.CreateDirectory(Path.Combine(_of.Folder, "disk")).FullName;
        try
        {
            await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "credbroker-test", disk);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"No file system can be mounted here: {e.Message}");
        }

        try
        {
            await _of.With(Options with { ArchiveTo = disk }).RunAsync(CancellationToken.None);
            Assert.Empty(Directory.GetFiles(disk));
        }
        finally
        {
            await ChildProcess.RunAsync("umount", disk);
        }

        Assert.Equal(count, await _of.CountAsync());
        Assert.Contains("MB free", _of.Said, StringComparison.Ordinal);
        Assert.Contains("Make room there", _of.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_of_another_user_is_refused()
    {
        var strange = Directory.CreateDirectory(Path.Combine(_of.Folder, "strange")).FullName;
        try
        {
            await ChildProcess.RunAsync("chown", "65533", strange);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"Nothing can be given to another user here: {e.Message}");
        }

        Assert.Contains(
            "belongs to another user (id 65533)",
            Assert.Single(new AuditOptions { ArchiveTo = strange }.Validate()),
            StringComparison.Ordinal
        );
        var link = Path.Combine(_of.Folder, "link");
        Directory.CreateSymbolicLink(link, strange);
        Assert.Single(new AuditOptions { ArchiveTo = link }.Validate());

        // And where it is given away while the broker runs.
        await _of.WriteAsync(10);
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        await _of.With(Options with { ArchiveTo = strange }).RunAsync(CancellationToken.None);
        Assert.Empty(Directory.GetFiles(strange));
        Assert.Contains("give it to the broker's user (chown)", _of.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_is_not_there_is_not_flushed()
    {
        OwnFolder.Flush(_of.Folder);
        Assert.Throws<IOException>(() => OwnFolder.Flush(Path.Combine(_of.Folder, "missing")));
    }

    [Fact]
    public async Task A_file_of_another_log_under_the_same_name_is_kept_and_nothing_is_deleted()
    {
        await _of.WriteAsync(10);
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        var first = (await _of.Broker.EventsAsync())[0].GetProperty("stream").GetString();
        var path = Path.Combine(_of.Folder, $"credbroker-audit-{first}-000000000001.jsonl");
        await using (var restored = await BrokerHarness.StartAsync())
        {
            await File.WriteAllBytesAsync(path, await RetentionHarness.ExportAsync(restored.Audit));
        }

        var (kept, count) = (await File.ReadAllBytesAsync(path), await _of.CountAsync());
        await _of.Retention.RunAsync(CancellationToken.None);

        Assert.Equal(kept, await File.ReadAllBytesAsync(path));
        Assert.Equal(count, await _of.CountAsync());
    }

    [Fact]
    public async Task While_an_archive_is_not_deleted_the_store_takes_no_newer_one_and_deletes_no_other()
    {
        await ArchivedInStoreAsync();
        var (count, head) = (await _of.CountAsync(), _of.Broker.Store.Position.AuditHead);
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _of.Broker.Store.CommitAsync(
                RetentionHarness.Archived(new(head, "file", count, _of.Broker.Time.GetUtcNow())),
                default
            )
        );
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState),
            await _of.Broker.Store.CommitAsync(StoreSamples.Deleted(head, limit: AuditRetention.BatchSize), default)
        );
        Assert.Equal(count, await _of.CountAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_was_put_in_an_archive_s_place_is_adopted_only_as_one_export_of_everything(bool hasGap)
    {
        var ends = new List<DateTimeOffset>();
        for (var part = 0; part < 3; part++)
        {
            await _of.WriteAsync(10, $"test.part{part}");
            _of.Broker.Time.Advance(TimeSpan.FromMinutes(1));
            ends.Add(_of.Broker.Time.GetUtcNow());
        }

        byte[] forged =
        [
            .. await RetentionHarness.ExportAsync(_of.Broker.Audit, null, ends[0]),
            .. await RetentionHarness.ExportAsync(_of.Broker.Audit, hasGap ? ends[1] : ends[0], ends[2]),
        ];
        Assert.Equal(
            hasGap,
            (await RetentionHarness.VerifyAsync(forged)).NotProven.Any(open =>
                open.Contains("lie between", StringComparison.Ordinal)
            )
        );
        var first = (await _of.Broker.EventsAsync())[0].GetProperty("stream").GetString();
        var path = Path.Combine(_of.Folder, $"credbroker-audit-{first}-000000000001.jsonl");
        await File.WriteAllBytesAsync(path, forged);
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        var count = await _of.CountAsync();

        await _of.Retention.RunAsync(CancellationToken.None);

        Assert.Equal(count, await _of.CountAsync());
        Assert.Equal(forged, await File.ReadAllBytesAsync(Assert.Single(_of.Archives())));
    }

    [Fact]
    public async Task What_was_half_written_when_the_disk_was_full_is_gone_at_once()
    {
        await _of.WriteAsync(10);
        _of.Broker.Time.Advance(TimeSpan.FromDays(10));
        var retention = _of.With(Options, new EndingLog(_of.Broker.Audit));

        await retention.RunAsync(CancellationToken.None);

        Assert.Empty(_of.Archives());
        await _of.Retention.RunAsync(CancellationToken.None);
        Assert.Single(_of.Archives());
    }

    [Fact]
    public void Settings_that_would_lose_records_or_show_them_are_faults()
    {
        var open = Directory.CreateDirectory(Path.Combine(_of.Folder, "open")).FullName;
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
        Assert.Empty(new AuditOptions { KeepFor = RetentionHarness.KeepFor, ArchiveTo = _of.Folder }.Validate());
        Assert.Contains(
            "is missing",
            Assert.Single(new AuditOptions { KeepFor = RetentionHarness.KeepFor }.Validate()),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "absolute",
            Assert.Single(new AuditOptions { KeepFor = RetentionHarness.KeepFor, ArchiveTo = "archive" }.Validate()),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no directory",
            Assert.Single(
                new AuditOptions { KeepFor = RetentionHarness.KeepFor, ArchiveTo = _of.Broker.StoreFile }.Validate()
            ),
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

    /// <summary>Ten records and the store's first that are archived and not deleted, their file, and how many the store has.</summary>
    private async Task<(string Archive, long Count)> ArchivedInStoreAsync()
    {
        if (await _of.Broker.Audit.ArchivedAsync(default) is null)
        {
            await _of.WriteAsync(10);
            _of.Broker.Time.Advance(TimeSpan.FromDays(10));
            _of.Store.Lost = true;
            await _of.Retention.RunAsync(CancellationToken.None);
            _of.Store.Lost = false;
        }

        return (Assert.Single(_of.Archives()), await _of.CountAsync());
    }

    /// <summary>The archive as if its first records had never been, with an anchor and a closing line that fit.</summary>
    private static async Task<byte[]> WithoutBeginningAsync(byte[] archive)
    {
        var lines = Audit.ChainedLog.Lines(archive).ToList();
        var opened = (ExportLine.Opened)ExportLine.Read(Encoding.UTF8.GetBytes(lines[0]))!;
        var records = lines[2..^1].Select(Encoding.UTF8.GetBytes).ToList();
        var (third, last) = (AuditRecordHeader.Read(records[2])!, AuditRecordHeader.Read(records[^1])!);
        using var segment = new AuditExportSegment(opened with { After = new(third.Stream, 2) });
        using var file = new MemoryStream();
        await WriteLineAsync(segment.Opened.ToBytes(), isRecord: false);
        await WriteLineAsync(new ExportLine.Stream(new(third.Stream, 2, third.Previous)).ToBytes(), isRecord: false);
        foreach (var record in records.Skip(2))
        {
            await WriteLineAsync(record, isRecord: true);
        }

        segment.Heads.Add(new(last.Stream, last.Sequence, AuditRecordWriter.Hash(records[^1])));
        await WriteLineAsync(segment.Close().ToBytes(), isRecord: false);
        await RetentionHarness.VerifyAsync(file.ToArray());
        return file.ToArray();

        async Task WriteLineAsync(byte[] line, bool isRecord)
        {
            segment.Add(line, isRecord);
            await file.WriteAsync(line);
            file.WriteByte((byte)'\n');
        }
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

        public ValueTask<AuditPrefix?> PrefixAsync(
            DateTimeOffset before,
            int limit,
            CancellationToken cancellationToken
        ) => log.PrefixAsync(before, limit, cancellationToken);
    }
}
