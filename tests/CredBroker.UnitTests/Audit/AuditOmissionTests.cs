using System.Security.Cryptography;
using System.Text;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;

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
        var log = Streams(4, 2);
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
        var (log, middle) = (Repaired(), ChainedLog.Start.AddSeconds(7));
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
        var log = Streams(3, 4);
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_is_left_out_of_one_export_is_a_fault_or_said(bool isRepaired)
    {
        var log = isRepaired ? SmallRepaired() : Streams(3, 2);
        var all = (1 << log.Count) - 1;
        DateTimeOffset?[] times = [null, .. log.Records.Select(entry => entry.Time), log.Now.AddHours(2)];
        AuditCursor?[] cursors =
        [
            null,
            .. log.Records.Select(entry => Cursor(entry.Record)),
            new(First, 0),
            new(Second, 9),
        ];
        var (held, faults) = (0, 0);
        for (var kept = 1; kept <= all; kept++)
        {
            var some = log.With(place => (kept & (1 << place)) != 0);
            foreach (var (from, to, after) in Claims())
            {
                var file = await some.ExportAsync(from, to, after);
                var result = await VerifyAsync(file);
                var claim = $"{kept:b} from {from} to {to} after {after}: {result.Fault?.What ?? result.Range}";
                Assert.True(kept != all || result.Holds, claim);
                Assert.True(Unsaid(log, file, result) is not { } unsaid, $"{Unsaid(log, file, result)}: {claim}");
                _ = result.Holds ? held++ : faults++;
            }
        }

        Assert.True(held > 1_000 && faults > 1_000, $"{held} held, {faults} did not.");

        IEnumerable<(DateTimeOffset?, DateTimeOffset?, AuditCursor?)> Claims() =>
            from @from in times
            from to in times
            from after in cursors
            where !(@from >= to)
            select (@from, to, after);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task However_files_are_cut_up_and_put_together_what_is_missing_is_a_fault_or_said(bool isRepaired)
    {
        var log = isRepaired ? Repaired() : Streams(4, 4);
        var (held, gaps, honest, faults) = (0, 0, 0, 0);
        for (var seed = 0; seed < 6_000; seed++)
        {
            var choices = new Choices(seed);
            var isHonest = choices.Next(3) == 0;
            var files = await ExportsAsync(log, choices, isHonest);
            var file = isHonest ? [.. files.SelectMany(part => part)] : Spoil(files, choices);
            var result = await VerifyAsync(file);
            var what = $"{seed}: {result.Fault?.What ?? result.Range}\n{Encoding.UTF8.GetString(file)}";
            Assert.True(!isHonest || result.Holds, what);
            Assert.True(Unsaid(log, file, result) is null, $"{Unsaid(log, file, result)}: {what}");
            held += result.Holds ? 1 : 0;
            faults += result.Holds ? 0 : 1;
            honest += isHonest ? 1 : 0;
            gaps += result.Holds && HasGap(result) ? 1 : 0;
        }

        Assert.True(
            honest > 500 && held > honest && gaps > 100 && faults > 500,
            $"{honest} honest, {held} held, {gaps} with a gap, {faults} did not."
        );
    }

    /// <summary>What the verifier let pass and did not say; null where that is nothing.</summary>
    private static string? Unsaid(ChainedLog log, byte[] file, AuditVerification result)
    {
        if (!result.Holds)
        {
            return null;
        }

        var places = ChainedLog
            .Lines(file)
            .Select(line => AuditRecordHeader.Read(Encoding.UTF8.GetBytes(line)))
            .OfType<AuditRecordHeader>()
            .Select(header => log.PlaceOf(header.Stream, header.Sequence))
            .ToList();
        if (places.Count != places.Distinct().Count())
        {
            return "Records are doubled";
        }

        var isRun = places.Count > 0 && places.Max() - places.Min() + 1 == places.Count;
        return result switch
        {
            { IsWhole: true } when !isRun || places.Min() > 0 => "It is called whole",
            _ when places.Count == 0 => null,
            _ when HasGap(result) => isRun ? "A gap is said that is none" : null,
            _ when !isRun => "There is a hole",
            _ when places.Min() is > 0 and var first && !SaysBeginning(log.Position(first - 1)) =>
                "Where it begins is not said",
            _ => null,
        };

        bool SaysBeginning(AuditPosition before) =>
            result.Range.Contains(
                $"begins after record {before.Sequence} of stream {before.Stream}",
                StringComparison.Ordinal
            );
    }

    private static bool HasGap(AuditVerification result) =>
        result.Range.Contains("with a gap", StringComparison.Ordinal);

    /// <summary>One to four exports one after the other, as they may be asked for; of a part of the log, if not honest.</summary>
    private static async Task<List<byte[]>> ExportsAsync(ChainedLog log, Choices choices, bool isHonest)
    {
        var (start, count) = (choices.Next(log.Count), isHonest ? 0 : choices.Next(4));
        var some = log.With(place => place < start || place >= start + count);
        var files = new List<byte[]>();
        var (to, last) = ((DateTimeOffset?)null, (AuditCursor?)null);
        for (var number = choices.Next(4); number >= 0; number--)
        {
            var (from, after) = (files.Count, choices.Next(isHonest ? 3 : 5)) switch
            {
                (0, 0 or 3) => ((DateTimeOffset?)null, (AuditCursor?)null),
                (0, 1) => (Time(), null),
                (0, _) => (null, Place()),
                (_, 0) when to is not null => (to, null),
                (_, 1) when to is not null => (to.Value.AddSeconds(choices.Next(4)), null),
                (_, 4) => (Time(), choices.Next(2) == 0 ? null : Place()),
                _ => (null, last),
            };
            var begin = from ?? to ?? ChainedLog.Start;
            to = number == 0 && choices.Next(2) == 0 ? null : begin.AddSeconds(1 + choices.Next(9));
            var file = await some.ExportAsync(from, to, after);
            var lines = ChainedLog.Lines(file).ToList();
            last = LastOf(lines) ?? last ?? after;
            if (choices.Next(4) == 0 && lines.Count > 3)
            {
                // Cut off somewhere, and resumed.
                var head = lines[..(1 + choices.Next(lines.Count - 1))];
                file = [.. ChainedLog.Join(head), .. await some.ExportAsync(from, to, LastOf(head) ?? after)];
            }

            files.Add(file);
        }

        return files;

        DateTimeOffset Time() => log.Records[choices.Next(log.Count)].Time;

        AuditCursor Place() => Cursor(log.Records[choices.Next(log.Count)].Record);
    }

    /// <summary>The files in another order, doubled, one left out, or lines of them.</summary>
    private static byte[] Spoil(List<byte[]> files, Choices choices)
    {
        var (one, other) = (choices.Next(files.Count), choices.Next(files.Count));
        switch (choices.Next(6))
        {
            case 0:
                (files[one], files[other]) = (files[other], files[one]);
                break;
            case 1:
                files.Insert(other, files[one]);
                break;
            case 2 when files.Count > 1:
                files.RemoveAt(one);
                break;
            case 3:
                var lines = ChainedLog.Lines([.. files.SelectMany(file => file)]).ToList();
                var (at, count) = (choices.Next(lines.Count), choices.Next(4));
                var taken = lines.Skip(at).Take(count).ToList();
                lines.RemoveRange(at, taken.Count);
                if (choices.Next(2) == 0)
                {
                    lines.InsertRange(choices.Next(lines.Count + 1), taken);
                }

                return ChainedLog.Join(lines);
        }

        return [.. files.SelectMany(file => file)];
    }

    private static AuditCursor? LastOf(IEnumerable<string> lines) =>
        lines
            .Select(line => AuditRecordHeader.Read(Encoding.UTF8.GetBytes(line)))
            .LastOrDefault(header => header is not null)
            is { } last
            ? new(last.Stream, last.Sequence)
            : null;

    private static AuditCursor Cursor(AuditRecord record) => new(record.Stream, record.Sequence);

    private static ChainedLog Streams(int count, int records)
    {
        var log = new ChainedLog();
        for (var stream = 1; stream <= count; stream++)
        {
            log.Open(stream).AppendSome(records - 1);
        }

        return log;
    }

    /// <summary>An hour too late from the first stream's fourth record on, until the repair; two more are right.</summary>
    private static ChainedLog Repaired()
    {
        var log = new ChainedLog().Open(1).AppendSome(2);
        Repair(log);
        return log.Open(2).AppendSome(4).Close().Open(3).AppendSome(3);
    }

    private static ChainedLog SmallRepaired()
    {
        var log = new ChainedLog().Open(1);
        Repair(log);
        return log.Open(2).AppendSome(1).Open(3);
    }

    private static void Repair(ChainedLog log)
    {
        var time = log.Now;
        log.Now = time.AddHours(1);
        log.AppendSome(1)
            .Append(
                new()
                {
                    What = new ClockRepaired
                    {
                        From = log.Now,
                        To = time,
                        Reason = "test",
                    },
                    Actor = AuditActor.Broker("test"),
                }
            )
            .Now = time;
    }

    private static ValueTask<AuditVerification> VerifyAsync(
        byte[] file,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null
    ) => AuditVerifier.VerifyAsync(new MemoryStream(file), [], default, from, to);

    /// <summary>Numbers that a seed gives, the same ones each time.</summary>
    private sealed class Choices(int seed)
    {
        private int _made;

        public int Next(int limit) =>
            (int)(
                BitConverter.ToUInt32(
                    SHA256.HashData([.. BitConverter.GetBytes(seed), .. BitConverter.GetBytes(_made++)])
                ) % limit
            );
    }
}
