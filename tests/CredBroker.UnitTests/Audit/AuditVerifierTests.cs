using System.Text;
using CredBroker.Core.Audit;
using CredBroker.Testing.Audit;

namespace CredBroker.UnitTests.Audit;

public sealed class AuditVerifierTests
{
    private static readonly string First = $"{1:x32}";
    private static readonly string Second = $"{2:x32}";

    // The sample's lines: 1 opened, 2 anchor, 3-8 stream 1, 9 anchor, 10-15 stream 2, 16 closed.
    [Fact]
    public async Task A_whole_export_holds()
    {
        var log = ChainedLog.Sample();
        var result = await VerifyAsync(await log.ExportAsync());
        Assert.Null(result.Fault);
        Assert.Equal((16L, 12L), (result.Lines, result.Records));
        Assert.Equal(
            [(First, 6L, false), (Second, 6L, true)],
            result.Streams.Select(span => (span.Head.Stream, span.Head.Sequence, span.IsClosed))
        );
        Assert.Equal((ChainedLog.Start.AddSeconds(1), log.Now), (result.Earliest!.Value, result.Latest!.Value));
        Assert.Contains("rewrote the whole log", Assert.Single(result.NotProven), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_log_exports_and_verifies() =>
        Assert.True((await VerifyAsync(await new ChainedLog().ExportAsync())).Holds);

    [Fact]
    public async Task A_head_kept_elsewhere_proves_the_end()
    {
        var log = ChainedLog.Sample();
        var result = await VerifyAsync(await log.ExportAsync(), log.Head);
        Assert.True(result.Holds);
        Assert.Empty(result.NotProven);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(15)]
    public async Task An_altered_record_is_named(int line)
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        var isClosing = line == 15;
        lines[line - 1] = isClosing
            ? lines[line - 1].Replace("store", "stare", StringComparison.Ordinal)
            : lines[line - 1].Replace("event", "evant", StringComparison.Ordinal);
        await AssertFaultAsync(lines, line, line < 9 ? First : Second, line < 9 ? line - 2 : line - 9, "altered");
    }

    [Fact]
    public async Task An_altered_link_is_named_where_it_is()
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        var link = lines[4].IndexOf("\"previous\":\"", StringComparison.Ordinal) + 12;
        lines[4] = lines[4][..link] + (lines[4][link] == '0' ? '1' : '0') + lines[4][(link + 1)..];
        await AssertFaultAsync(lines, 5, First, 3, "altered");
    }

    [Theory]
    [InlineData(5, 2)]
    [InlineData(7, 4)]
    [InlineData(8, 5)]
    [InlineData(11, 7)]
    [InlineData(15, 11)]
    public async Task Only_the_records_before_an_altered_one_are_counted(int line, int before)
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        lines[line - 1] = lines[line - 1].Replace("\"kind\":\"", "\"kind\":\"x", StringComparison.Ordinal);
        var result = await VerifyAsync(ChainedLog.Join(lines));
        Assert.Equal((line, before), (result.Fault!.Line, result.Records));
    }

    [Theory]
    [InlineData(5, 2)]
    [InlineData(10, 6)]
    public async Task Only_the_records_before_a_missing_one_are_counted(int line, int before)
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        lines.RemoveAt(line - 1);
        Assert.Equal(before, (await VerifyAsync(ChainedLog.Join(lines))).Records);
    }

    [Fact]
    public async Task A_head_of_another_stream_than_the_last_proves_no_end()
    {
        var log = new ChainedLog().Open(1).AppendSome(5);
        var earlier = log.Head;
        log.Open(2).AppendSome(4);
        var inside = log.Head;
        log.Close();

        foreach (var kept in new[] { earlier, inside })
        {
            var result = await VerifyAsync(await log.ExportAsync(), kept);
            Assert.True(result.Holds);
            Assert.Contains(
                "it is not the head of the file's last stream",
                Assert.Single(result.NotProven),
                StringComparison.Ordinal
            );
        }

        Assert.Empty((await VerifyAsync(await log.ExportAsync(), earlier, log.Head)).NotProven);
    }

    [Fact]
    public async Task What_the_file_holds_is_said()
    {
        var log = ChainedLog.Sample();
        var whole = await VerifyAsync(await log.ExportAsync());
        Assert.True(whole.IsWhole);
        Assert.Equal("It holds everything from the store's first record until it was made.", whole.Range);

        var late = await VerifyAsync(await log.ExportAsync(ChainedLog.Start.AddSeconds(4)));
        Assert.Equal(
            (
                false,
                "It is A PART of the log, exported from 2026-03-01T12:00:04.000Z until it was made; "
                    + $"it begins after record 3 of stream {First}, and what was before is not in it."
            ),
            (late.IsWhole, late.Range)
        );

        var early = await VerifyAsync(await log.ExportAsync(null, ChainedLog.Start.AddSeconds(4)));
        Assert.False(early.IsWhole);
        Assert.Contains("from the beginning to 2026-03-01T12:00:04.000Z", early.Range, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_beginning_that_was_cut_off_is_said_whatever_the_export_claims()
    {
        // As if nothing had been asked for: with the right anchors, and a closing line that fits.
        var result = await VerifyAsync(await ChainedLog.Sample().Without(0, 4).ExportAsync());
        Assert.Equal((2L, First, 1L), (result.Fault!.Line, result.Fault.Stream, result.Fault.Sequence));
        Assert.False(result.IsWhole);
        Assert.Contains("A PART of the log", result.Range, StringComparison.Ordinal);
        Assert.Contains("it begins after record 4", result.Range, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_range_can_be_demanded()
    {
        var log = ChainedLog.Sample();
        static DateTimeOffset At(int second) => ChainedLog.Start.AddSeconds(second);
        var part = await log.ExportAsync(At(4), At(8));

        Assert.Null(await FaultAsync(part, At(4), At(8)));
        Assert.Null(await FaultAsync(part, At(5), null));
        Assert.Contains("its exports begin later", await FaultAsync(part, At(3), null), StringComparison.Ordinal);
        Assert.Contains("end earlier", await FaultAsync(part, null, At(9)), StringComparison.Ordinal);

        // An export without an end shows how far it goes by its records alone.
        var open = await log.ExportAsync();
        Assert.Null(await FaultAsync(open, DateTimeOffset.MinValue, At(12)));
        Assert.Contains("end earlier", await FaultAsync(open, null, At(13)), StringComparison.Ordinal);

        byte[] distant = [.. await log.ExportAsync(null, At(3)), .. await log.ExportAsync(At(5))];
        Assert.Contains("has a gap", await FaultAsync(distant, At(1), At(10)), StringComparison.Ordinal);

        static async Task<string?> FaultAsync(byte[] export, DateTimeOffset? from, DateTimeOffset? to) =>
            (await AuditVerifier.VerifyAsync(new MemoryStream(export), [], default, from, to)).Fault?.What;
    }

    [Fact]
    public async Task A_removed_record_is_named()
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        lines.RemoveAt(4);
        await AssertFaultAsync(lines, 5, First, 3, "Record 3 is missing");
    }

    [Fact]
    public async Task Removed_records_at_a_streams_end_are_named()
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        lines.RemoveRange(13, 2);
        await AssertFaultAsync(lines, 14, Second, 5, "removed");
    }

    [Fact]
    public async Task A_removed_tail_of_an_earlier_stream_is_seen_by_the_stream_after_it()
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        lines.RemoveAt(7);
        await AssertFaultAsync(lines, 9, First, 6, "the end was removed");
    }

    [Fact]
    public async Task A_removed_stream_is_named_even_if_the_export_is_made_anew()
    {
        var log = ChainedLog.Sample();
        var (all, second) = (
            await log.ExportLinesAsync(),
            ChainedLog.Lines(await log.ExportAsync(after: new(First, 6))).ToList()
        );
        var forged = second.Prepend(all[0]).ToList();
        forged.RemoveAt(1);
        Assert.Contains(
            "it was removed",
            (await VerifyAsync(ChainedLog.Join(forged))).Fault!.What,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Reordered_records_are_named()
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        (lines[4], lines[5]) = (lines[5], lines[4]);
        await AssertFaultAsync(lines, 5, First, 3, "missing");
    }

    [Fact]
    public async Task Reordered_streams_are_named()
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        var reordered = lines[..1].Concat(lines[8..15]).Concat(lines[1..8]).Append(lines[15]).ToList();
        Assert.False((await VerifyAsync(ChainedLog.Join(reordered))).Holds);
    }

    [Fact]
    public async Task A_doubled_line_is_named()
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        lines.Insert(5, lines[4]);
        await AssertFaultAsync(lines, 6, First, 3, "doubled");
    }

    [Fact]
    public async Task A_doubled_export_is_refused()
    {
        var export = await ChainedLog.Sample().ExportAsync();
        Assert.Contains("doubled", (await VerifyAsync([.. export, .. export])).Fault!.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_added_to_a_streams_end_is_named()
    {
        var (lines, other) = (
            await ChainedLog.Sample().ExportLinesAsync(),
            await new ChainedLog().Open(1).AppendSome(9).ExportLinesAsync()
        );
        lines.Insert(8, other[8]);
        await AssertFaultAsync(lines, 11, First, 7, "added");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("""{"v":1,"type":"export.closed"}""")]
    [InlineData("""{"v":1,"type":"export.opened","from":"yesterday"}""")]
    public async Task An_inserted_line_of_anything_else_is_named(string line)
    {
        var lines = await ChainedLog.Sample().ExportLinesAsync();
        lines.Insert(5, line);
        Assert.Equal(6, (await VerifyAsync(ChainedLog.Join(lines))).Fault!.Line);
    }

    [Fact]
    public async Task A_truncated_file_is_refused_wherever_it_is_cut()
    {
        var export = await ChainedLog.Sample().ExportAsync();
        for (var length = 0; length < export.Length; length++)
        {
            Assert.NotNull((await VerifyAsync(export[..length])).Fault);
        }
    }

    [Fact]
    public async Task A_cut_export_and_its_resumption_verify_as_one_at_every_record()
    {
        var log = ChainedLog.Sample();
        var lines = await log.ExportLinesAsync();
        for (var cut = 1; cut < lines.Count; cut++)
        {
            var last = lines[..cut]
                .Select(line => AuditRecordHeader.Read(Encoding.UTF8.GetBytes(line)))
                .LastOrDefault(header => header is not null);
            var rest = await log.ExportAsync(after: last is null ? null : new(last.Stream, last.Sequence));
            var result = await VerifyAsync([.. ChainedLog.Join(lines[..cut]), .. rest], log.Head);
            Assert.Null(result.Fault);
            Assert.Equal(12, result.Records);
        }
    }

    [Fact]
    public async Task A_resumption_that_skips_records_is_refused()
    {
        var log = ChainedLog.Sample();
        var lines = await log.ExportLinesAsync();
        var result = await VerifyAsync([
            .. ChainedLog.Join(lines[..5]),
            .. await log.ExportAsync(after: new(First, 4)),
        ]);
        Assert.Equal((6L, First, 4L), (result.Fault!.Line, result.Fault.Stream, result.Fault.Sequence));
    }

    [Fact]
    public async Task Adjacent_ranges_verify_as_one()
    {
        var log = ChainedLog.Sample();
        var middle = ChainedLog.Start.AddSeconds(4);
        var result = await VerifyAsync(
            [.. await log.ExportAsync(null, middle), .. await log.ExportAsync(middle)],
            log.Head
        );
        Assert.Null(result.Fault);
        Assert.Equal(12, result.Records);
        Assert.Empty(result.NotProven);
    }

    [Fact]
    public async Task A_gap_between_adjacent_ranges_is_refused_and_one_between_distant_ranges_is_said()
    {
        var log = ChainedLog.Sample();
        var (first, end) = (ChainedLog.Start.AddSeconds(3), ChainedLog.Start.AddSeconds(5));
        var distant = await VerifyAsync([.. await log.ExportAsync(null, first), .. await log.ExportAsync(end)]);
        Assert.Null(distant.Fault);
        Assert.Contains("Records 3 to 4 of stream", distant.NotProven[0], StringComparison.Ordinal);

        var begin = ChainedLog.Lines(await log.ExportAsync(null, first)).ToList();
        var rest = ChainedLog.Lines(await log.ExportAsync(end)).ToList();
        rest[0] = rest[0].Replace("12:00:05", "12:00:03", StringComparison.Ordinal);
        Assert.Contains(
            "missing between",
            (await VerifyAsync(ChainedLog.Join(begin.Concat(rest)))).Fault!.What,
            StringComparison.Ordinal
        );
    }

    [Theory]
    // A second apart: 1 to 4 in stream 1, 5 to 8 in stream 2, 9 to 12 in stream 3, and so on.
    [InlineData(5, 9, "Stream 00000000000000000000000000000002 lies between")]
    [InlineData(5, 13, "Stream 00000000000000000000000000000003 lies between")]
    [InlineData(3, 5, "Records 3 to 4 of stream 00000000000000000000000000000001 are not in the file")]
    [InlineData(3, 9, "Stream 00000000000000000000000000000002 lies between")]
    public async Task Whole_streams_between_two_ranges_are_a_gap(int end, int begin, string said)
    {
        var log = new ChainedLog();
        for (var stream = 1; stream <= 4; stream++)
        {
            log.Open(stream).AppendSome(2).Close();
        }

        byte[] file = [.. await log.ExportAsync(null, At(end)), .. await log.ExportAsync(At(begin))];
        var result = await VerifyAsync(file, log.Head);

        Assert.Null(result.Fault);
        Assert.Contains(result.NotProven, gap => gap.Contains(said, StringComparison.Ordinal));
        Assert.Contains("with a gap", result.Range, StringComparison.Ordinal);
        using var read = new MemoryStream(file);
        var demanded = await AuditVerifier.VerifyAsync(read, [], default, At(1), At(16));
        Assert.Contains("has a gap", demanded.Fault!.What, StringComparison.Ordinal);

        // Where nothing lies between, nothing is missing.
        var next = await VerifyAsync(
            [.. await log.ExportAsync(null, At(5)), .. await log.ExportAsync(At(5))],
            log.Head
        );
        Assert.DoesNotContain("with a gap", next.Range, StringComparison.Ordinal);

        static DateTimeOffset At(int second) => ChainedLog.Start.AddSeconds(second);
    }

    [Fact]
    public async Task A_rewritten_log_is_caught_by_a_head_kept_elsewhere()
    {
        var kept = ChainedLog.Sample().Head;
        var rewritten = new ChainedLog()
            .Open(1)
            .AppendSome(4)
            .Append(new() { What = new TestFact("forged"), Actor = AuditActor.Broker("x") })
            .Open(2)
            .AppendSome(4)
            .Close();
        var result = await VerifyAsync(await rewritten.ExportAsync(), kept);
        Assert.Equal((Second, 6L), (result.Fault!.Stream, result.Fault.Sequence));
        Assert.Contains("not the one expected", result.Fault.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_and_newly_closed_log_is_caught_by_a_head_kept_elsewhere()
    {
        var kept = ChainedLog.Sample().Head;
        var result = await VerifyAsync(
            await new ChainedLog().Open(1).AppendSome(5).Open(2).AppendSome(4).ExportAsync(),
            kept
        );
        Assert.Equal((Second, 6L), (result.Fault!.Stream, result.Fault.Sequence));
        Assert.Contains("not in the file", result.Fault.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_without_end_is_refused_in_bounded_memory()
    {
        using var endless = new EndlessStream();
        Assert.Contains(
            "longer than",
            (await AuditVerifier.VerifyAsync(endless, [], default)).Fault!.What,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_head_is_read_as_it_is_written()
    {
        var head = ChainedLog.Sample().Head;
        Assert.True(AuditPosition.TryParse(head.ToString(), out var read));
        Assert.Equal(head, read);
        Assert.All(
            [null, "", ":", "a:1:b", head.ToString()[1..], head.ToString().ToUpperInvariant()],
            text => Assert.False(AuditPosition.TryParse(text, out _))
        );
    }

    internal static ValueTask<AuditVerification> VerifyAsync(byte[] export, params AuditPosition[] expected) =>
        AuditVerifier.VerifyAsync(new MemoryStream(export), expected, default);

    private static async Task AssertFaultAsync(List<string> lines, long line, string stream, long sequence, string what)
    {
        var fault = (await VerifyAsync(ChainedLog.Join(lines))).Fault;
        Assert.NotNull(fault);
        Assert.Equal((line, stream, sequence), (fault.Line, fault.Stream, fault.Sequence));
        Assert.Contains(what, fault.What, StringComparison.Ordinal);
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill((byte)'x');
            return new(buffer.Length);
        }
    }
}
