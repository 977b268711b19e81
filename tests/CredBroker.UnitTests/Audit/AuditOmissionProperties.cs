using System.Security.Cryptography;
using System.Text;
using CredBroker.Core.Audit;

namespace CredBroker.UnitTests.Audit;

/// <summary>
/// As <see cref="AuditOmissionTests"/>, for all that can be left out of a small log and asked of its export, and for files
/// of a larger one that are cut up, put together in another order, doubled and left out at random.
/// </summary>
public sealed class AuditOmissionProperties
{
    private static readonly string First = $"{1:x32}";
    private static readonly string Second = $"{2:x32}";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_is_left_out_of_one_export_is_a_fault_or_said(bool isRepaired)
    {
        var log = isRepaired ? ChainedLog.SmallRepaired() : ChainedLog.Streams(3, 2);
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
        var log = isRepaired ? ChainedLog.Repaired() : ChainedLog.Streams(4, 4);
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
