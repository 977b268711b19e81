using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;

namespace CredBroker.UnitTests.Audit;

/// <summary>
/// Exports that somebody made of a log after taking records out or putting some in: with anchors, links and a closing
/// line that fit. Beside them the honest ones that look alike.
/// </summary>
public sealed class AuditForgeryTests
{
    private static readonly string First = $"{1:x32}";
    private static readonly string Second = $"{2:x32}";
    private static readonly string Third = $"{3:x32}";

    // Of the three streams, the first is left with its first record, the third without its first three.
    [Fact]
    public async Task A_middle_that_was_cut_out_is_a_fault()
    {
        var log = Three();
        var result = await VerifyAsync(await log.Without(1, 14).ExportAsync(), log.Head);
        Assert.Equal((4L, Third, 1L), (result.Fault!.Line, result.Fault.Stream, result.Fault.Sequence));
        Assert.Contains("it was removed", result.Fault.What, StringComparison.Ordinal);
        Assert.False(result.IsWhole);
        Assert.Contains("with a gap", result.Range, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_middle_that_was_cut_out_is_a_fault_of_a_later_export_too()
    {
        var log = Three();
        var cut = log.Without(1, 14);
        var middle = log.Now.AddSeconds(-4);
        foreach (
            var forged in new byte[][]
            {
                await cut.ExportAsync(ChainedLog.Start),
                [.. await cut.ExportAsync(null, middle), .. await cut.ExportAsync(middle)],
                [.. await cut.ExportAsync(null, middle), .. await cut.ExportAsync(middle, log.Now.AddDays(1))],
                [.. await cut.ExportAsync(null, middle), .. await cut.ExportAsync(after: new(First, 1))],
            }
        )
        {
            Assert.Contains("it was removed", (await VerifyAsync(forged)).Fault?.What, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_middle_that_may_have_been_cut_out_is_said()
    {
        var log = Three();
        var (from, to) = (ChainedLog.Start, log.Now.AddSeconds(1));
        var export = await log.Without(1, 14).ExportAsync(from, to);
        var result = await VerifyAsync(export);
        Assert.Contains("with a gap", result.Range, StringComparison.Ordinal);
        Assert.Contains("Records 1 to 3", result.NotProven[0], StringComparison.Ordinal);
        var demanded = await AuditVerifier.VerifyAsync(new MemoryStream(export), [], default, from, to);
        Assert.Contains("has a gap", demanded.Fault!.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_range_and_every_cursor_verifies()
    {
        var log = Three();
        var cursors = log.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default);
        await foreach (var record in cursors)
        {
            var (time, cursor) = (
                AuditRecordHeader.Read(record.Bytes.Span)!.Time,
                new AuditCursor(record.Stream, record.Sequence)
            );
            var (before, rest) = (await log.ExportAsync(null, time), await log.ExportAsync(time));
            Assert.Null((await VerifyAsync(before)).Fault);
            Assert.Null((await VerifyAsync(rest)).Fault);
            Assert.Empty((await VerifyAsync([.. before, .. rest], log.Head)).NotProven);
            Assert.Null((await VerifyAsync(await log.ExportAsync(after: cursor))).Fault);
            Assert.Null((await VerifyAsync(await log.ExportAsync(time, null, cursor))).Fault);
        }
    }

    [Fact]
    public async Task An_export_without_records_is_gone_on_with()
    {
        var log = new ChainedLog().Open(1).AppendSome(3);
        var cursor = new AuditCursor(First, 4);
        var nothing = await log.ExportAsync(after: cursor);
        Assert.Null((await VerifyAsync([.. nothing, .. await log.AppendSome(2).ExportAsync(after: cursor)])).Fault);
    }

    [Fact]
    public async Task A_repair_of_the_clock_is_no_forgery()
    {
        var (log, whole) = (Repaired(), await VerifyAsync(await Repaired().ExportAsync()));
        Assert.Null(whole.Fault);
        Assert.True(whole.IsWhole);

        // Both streams lie across this time.
        var middle = ChainedLog.Start.AddSeconds(10);
        foreach (var to in new DateTimeOffset?[] { null, ChainedLog.Start.AddHours(1).AddSeconds(2) })
        {
            var result = await VerifyAsync(await log.ExportAsync(middle, to));
            Assert.Null(result.Fault);
            Assert.Equal([4L, 5L], result.Streams.Select(span => span.Anchor.Sequence));
            Assert.Contains("with a gap", result.Range, StringComparison.Ordinal);
        }

        var joined = await VerifyAsync(
            [.. await log.ExportAsync(null, middle), .. await log.ExportAsync(middle)],
            log.Head
        );
        Assert.Null(joined.Fault);
        Assert.Empty(joined.NotProven);
    }

    [Fact]
    public async Task Records_added_to_a_stream_that_was_not_closed_are_named()
    {
        var log = new ChainedLog().Open(1).AppendSome(5).Open(2, found: 4).AppendSome(4).Close();
        var result = await VerifyAsync(await log.ExportAsync(), log.Head);
        Assert.Equal((10L, First, 5L), (result.Fault!.Line, result.Fault.Stream, result.Fault.Sequence));
        Assert.Contains("records were added", result.Fault.What, StringComparison.Ordinal);
        Assert.Equal(4, result.Records);
    }

    [Fact]
    public async Task A_record_added_after_the_end_that_a_repair_has_named_is_found_in_a_later_export()
    {
        var log = Repaired(added: 1);
        var middle = ChainedLog.Start.AddSeconds(10);
        var result = await VerifyAsync([.. await log.ExportAsync(null, middle), .. await log.ExportAsync(middle)]);
        Assert.Equal((First, 8L), (result.Fault!.Stream, result.Fault.Sequence));
        Assert.Contains("it was inserted", result.Fault.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_inserted_stream_is_found_by_the_one_after_it()
    {
        var log = new ChainedLog().Open(1).AppendSome(5).Open(2).AppendSome(2).Open(3, found: 6).AppendSome(4);
        await AssertInsertedAsync(await log.ExportAsync(), Third, "Another stream has named");
    }

    [Fact]
    public async Task An_inserted_stream_is_found_where_the_one_before_it_is_not_in_the_file()
    {
        var log = new ChainedLog().Open(1).AppendSome(5).Open(2).AppendSome(2).Open(3, found: 6).AppendSome(4);
        await AssertInsertedAsync(
            await log.ExportAsync(ChainedLog.Start.AddSeconds(7)),
            Third,
            "Another stream has named"
        );
        await AssertInsertedAsync(
            await log.ExportAsync(ChainedLog.Start.AddSeconds(8)),
            Third,
            "is not the one before"
        );
    }

    [Fact]
    public async Task Only_one_stream_is_the_stores_first()
    {
        var log = new ChainedLog().Open(1).AppendSome(5).Open(2, found: 0).AppendSome(2);
        await AssertInsertedAsync(await log.ExportAsync(), Second, "the store's first");
        await AssertInsertedAsync(await log.ExportAsync(ChainedLog.Start.AddSeconds(3)), Second, "the store's first");
    }

    // Records 1 to 7, 8 to 12 and 13 to 19 of the log.
    private static ChainedLog Three() =>
        new ChainedLog().Open(1).AppendSome(5).Close().Open(2).AppendSome(3).Close().Open(3).AppendSome(5).Close();

    /// <summary>An hour too late from the first stream's fifth record on, until the repair; the second is right.</summary>
    /// <param name="added">How many records a forger adds after the repair.</param>
    private static ChainedLog Repaired(int added = 0)
    {
        var log = new ChainedLog().Open(1).AppendSome(3);
        log.Now = ChainedLog.Start.AddHours(1);
        log.AppendSome(2)
            .Append(
                new()
                {
                    What = new ClockRepaired
                    {
                        From = log.Now,
                        To = ChainedLog.Start,
                        Reason = "test",
                    },
                    Actor = AuditActor.Broker("test"),
                }
            );
        var count = log.Count;
        log.AppendSome(added).Now = ChainedLog.Start.AddSeconds(4);
        return log.Open(2, found: count).AppendSome(10).Close();
    }

    private static async Task AssertInsertedAsync(byte[] export, string stream, string what)
    {
        var fault = (await VerifyAsync(export)).Fault;
        Assert.Equal((stream, 1L), (fault?.Stream, fault?.Sequence));
        Assert.Contains(what, fault!.What, StringComparison.Ordinal);
    }

    private static ValueTask<AuditVerification> VerifyAsync(byte[] export, params AuditPosition[] expected) =>
        AuditVerifierTests.VerifyAsync(export, expected);
}
