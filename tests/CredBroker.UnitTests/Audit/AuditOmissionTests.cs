using System.Text;
using CredBroker.Core.Audit;

namespace CredBroker.UnitTests.Audit;

/// <summary>
/// Whatever somebody leaves out of a log before it is exported, and however files of it are put together, with anchors
/// and closing lines that fit: verifying it is a fault, or its first line says that something is missing and where.
/// </summary>
public sealed class AuditOmissionTests
{
    private static readonly string First = $"{1:x32}";
    private static readonly string Second = $"{2:x32}";

    [Fact]
    public async Task The_rest_of_the_stream_that_an_export_goes_on_after_is_missed()
    {
        var log = new ChainedLog().Open(1).AppendSome(9).Open(2).AppendSome(3);
        var result = await VerifyAsync(await log.Without(5, 5).ExportAsync(after: new(First, 5)));
        Assert.Equal((3L, First, 10L), (result.Fault?.Line, result.Fault?.Stream, result.Fault?.Sequence));
        Assert.Contains("it was removed", result.Fault!.What, StringComparison.Ordinal);

        // What goes on after the end says in its first line where that is.
        var rest = await VerifyAsync(await log.ExportAsync(after: new(First, 10)));
        Assert.Null(rest.Fault);
        Assert.Contains($"begins after record 10 of stream {First}", rest.Range, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_that_is_left_out_is_missed_where_streams_end_with_archives()
    {
        var log = ChainedLog.Streams(4, 2);
        var archives = new List<byte[]>();
        for (var stream = 0; stream < 4; stream++)
        {
            var after = stream == 0 ? null : new AuditCursor($"{stream:x32}", 2);
            var to = stream == 3 ? (DateTimeOffset?)null : log.Records[stream * 2 + 2].Time;
            archives.Add(await log.ExportAsync(null, to, after));
        }

        Assert.True((await VerifyAsync([.. archives.SelectMany(file => file)])).IsWhole);
        Assert.NotNull((await VerifyAsync([.. archives[0], .. archives[2], .. archives[3]])).Fault);
        Assert.NotNull((await VerifyAsync([.. archives[1], .. archives[0], .. archives[2], .. archives[3]])).Fault);
        Assert.NotNull((await VerifyAsync([.. archives[3], .. archives[0]])).Fault);
        Assert.False((await VerifyAsync([.. archives[1], .. archives[2], .. archives[3]])).IsWhole);
    }

    [Fact]
    public async Task What_a_later_range_should_hold_of_a_stream_that_has_ended_is_missed()
    {
        var (log, middle) = (ChainedLog.Repaired(), ChainedLog.Start.AddSeconds(7));
        var (early, late) = (await log.ExportAsync(null, middle), await log.ExportAsync(middle));
        Assert.Null((await VerifyAsync([.. early, .. late])).Fault);

        var cut = await log.With(place => log.Records[place].Record.Stream != First).ExportAsync(middle);
        var result = await VerifyAsync([.. early, .. cut]);
        Assert.Contains("the end was removed", result.Fault?.What, StringComparison.Ordinal);
        Assert.False(result.IsWhole);
    }

    [Fact]
    public async Task An_anchor_takes_no_record_s_place()
    {
        var log = new ChainedLog().Open(1).AppendSome(4).Open(2).AppendSome(3);
        var (time, rest) = (log.Records[3].Time, log.With(place => place >= 5));
        var lines = ChainedLog.Lines(await rest.ExportAsync(time)).ToList();
        lines.Insert(1, Encoding.UTF8.GetString(new ExportLine.Stream(log.Position(4)).ToBytes()));

        // Before the next stream, and where the export is cut off behind it and resumed.
        Assert.Equal(3, (await VerifyAsync(ChainedLog.Join(lines))).Fault?.Line);
        var resumed = await VerifyAsync(
            ChainedLog.Join([.. lines[..2], .. ChainedLog.Lines(await rest.ExportAsync(time))])
        );
        Assert.Contains("it was removed", resumed.Fault?.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_that_no_export_covers_is_not_held()
    {
        var log = new ChainedLog().Open(1).AppendSome(4);
        var (end, begin) = (log.Now.AddHours(1), log.Now.AddHours(2));
        byte[] file = [.. await log.ExportAsync(null, end), .. await log.ExportAsync(begin, begin.AddHours(1))];

        Assert.Null((await VerifyAsync(file)).Fault);
        Assert.Null((await VerifyAsync(file, ChainedLog.Start, end)).Fault);
        Assert.Null((await VerifyAsync(file, begin, begin.AddHours(1))).Fault);
        foreach (var from in new DateTimeOffset?[] { null, ChainedLog.Start, end.AddMinutes(-1) })
        {
            var result = await VerifyAsync(file, from, begin.AddHours(1));
            Assert.Contains("leave out the time from", result.Fault?.What, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_no_record_shows_of_a_demanded_range_is_said_first()
    {
        var log = ChainedLog.Streams(3, 4);
        var (from, to) = (log.Records[5].Time, log.Now.AddSeconds(1));
        var cut = await VerifyAsync(await log.With(place => place > 5).ExportAsync(from, to), from, to);
        Assert.Contains("on stands before that is the exporter's word", cut.Range, StringComparison.Ordinal);
        Assert.Contains("after its last record is the exporter's word", cut.Range, StringComparison.Ordinal);

        var shown = await VerifyAsync(await log.ExportAsync(), log.Records[1].Time, log.Records[9].Time);
        Assert.DoesNotContain("exporter's word", shown.Range, StringComparison.Ordinal);
        var beginning = await VerifyAsync(await log.ExportAsync(log.Records[4].Time), log.Records[4].Time);
        Assert.DoesNotContain("exporter's word", beginning.Range, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_export_that_is_resumed_to_an_earlier_end_holds_no_more_than_that()
    {
        var log = new ChainedLog().Open(1).AppendSome(9);
        var lines = ChainedLog.Lines(await log.ExportAsync()).Take(5);
        byte[] file = [.. ChainedLog.Join(lines), .. await log.ExportAsync(null, log.Records[7].Time, new(First, 3))];
        var result = await VerifyAsync(file);
        Assert.Null(result.Fault);
        Assert.False(result.IsWhole);
        Assert.Contains(
            $"to {AuditRecordHeader.FormatTime(log.Records[7].Time)}",
            result.Range,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_record_that_the_cursor_leaves_out_is_no_part_of_the_export()
    {
        var log = new ChainedLog().Open(1).AppendSome(5);
        var lines = ChainedLog.Lines(await log.ExportAsync(log.Records[2].Time)).ToList();
        lines[0] = Encoding.UTF8.GetString(new ExportLine.Opened(log.Records[2].Time, null, new(First, 5)).ToBytes());
        Assert.Contains(
            "begins after this record",
            (await VerifyAsync(ChainedLog.Join(lines))).Fault?.What,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_table_is_no_export() =>
        Assert.Equal(
            1,
            (await VerifyAsync(Encoding.UTF8.GetBytes("time,stream,sequence\r\n2026-03-01T12:00:00Z,a,1\r\n")))
                .Fault
                ?.Line
        );

    private static ValueTask<AuditVerification> VerifyAsync(
        byte[] file,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null
    ) => AuditVerifier.VerifyAsync(new MemoryStream(file), [], default, from, to);
}
