using System.IO.Pipelines;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Testing.Audit;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task Every_change_and_its_event_stand_together_in_the_chain()
    {
        var lease = await PendingLeaseAsync();
        var activated = await CommitAsync(Samples.Activated(lease.Id));
        var records = await ReadLogAsync();
        Assert.Equal(
            [StreamOpened.TypeName, RequestAllowed.TypeName, LeaseIssued.TypeName],
            records.Select(record => AuditRecordHeader.Read(record.Bytes.Span)!.Type)
        );
        Assert.Equal(AuditPosition.NoHash, records[0].Previous);
        Assert.All(
            records.Zip(records.Skip(1)),
            pair => Assert.Equal(AuditRecordWriter.Hash(pair.First.Bytes.Span), pair.Second.Previous)
        );
        Assert.Equal(new(records[2].Stream, 3, AuditRecordWriter.Hash(records[2].Bytes.Span)), activated.Event);
        Assert.Equal(activated.Event, Store.Position.AuditHead);
        Assert.Equal([activated.Event!], Heads(records));
    }

    [Fact]
    public async Task A_decision_is_recorded_in_its_event_unless_the_event_says_more()
    {
        var lease = await PendingLeaseAsync();
        await CommitAsync(
            new StateChange.RequestDenied
            {
                Decision = Samples.Decision(),
                Event = StoreSamples.Event() with
                {
                    What = new TestFact("test.event", json => json.WriteNumber("own", 1)),
                },
            }
        );
        var details = (await ReadLogAsync())
            .Select(record => JsonDocument.Parse(record.Bytes).RootElement.GetProperty("details"))
            .ToList();
        Assert.Equal(lease.Decision.Id, details[1].GetProperty("id").GetString());
        Assert.Equal(1, details[2].GetProperty("own").GetInt32());
    }

    [Fact]
    public async Task Each_process_has_a_stream_that_names_the_one_before()
    {
        await ActiveLeaseAsync();
        Reopen();
        await ActiveLeaseAsync();
        var records = await ReadLogAsync();
        var heads = Heads(records);
        Assert.Equal(2, heads.Count);
        Assert.Equal(StreamClosed.TypeName, AuditRecordHeader.Read(records[3].Bytes.Span)!.Type);
        var named = JsonDocument.Parse(records[4].Bytes).RootElement.GetProperty("details").GetProperty("heads")[0];
        Assert.Equal(
            (heads[0].Stream, 4L, heads[0].Hash),
            (
                named.GetProperty("stream").GetString(),
                named.GetProperty("sequence").GetInt64(),
                named.GetProperty("hash").GetString()
            )
        );
    }

    [Fact]
    public async Task The_log_is_read_by_time_and_after_a_cursor_across_streams()
    {
        for (var process = 0; process < 3; process++)
        {
            for (var i = 0; i < 300; i++)
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                await CommitAsync(StoreSamples.Recorded());
            }

            Reopen();
        }

        var all = await ReadLogAsync();
        Assert.Equal(3 * 302 + 1, all.Count);
        Assert.Equal(
            all.OrderBy(record => record.Stream, StringComparer.Ordinal).ThenBy(record => record.Sequence).Select(Key),
            all.Select(Key)
        );
        var (from, to) = (Now.AddSeconds(-700), Now.AddSeconds(-100));
        Assert.Equal(
            all.Where(record => Header(record).Time >= from && Header(record).Time < to).Select(Key),
            (await ReadLogAsync(from, to)).Select(Key)
        );
        foreach (var at in new[] { 0, 255, 256, 301, 302, 700, all.Count - 1 })
        {
            Assert.Equal(
                all.Skip(at + 1).Select(Key),
                (await ReadLogAsync(after: new(all[at].Stream, all[at].Sequence))).Select(Key)
            );
        }

        static AuditRecordHeader Header(AuditRecord record) => AuditRecordHeader.Read(record.Bytes.Span)!;
        static (string, long) Key(AuditRecord record) => (record.Stream, record.Sequence);
    }

    [Fact]
    public async Task An_export_of_the_store_verifies()
    {
        for (var process = 0; process < 3; process++)
        {
            await ActiveLeaseAsync();
            await CommitAsync(
                StoreSamples.Recorded(new() { What = new TestFact("x\0\ud800\n"), Actor = AuditActor.Broker("ñ") })
            );
            Reopen();
        }

        var result = await VerifyAsync(Store.Position.AuditHead);
        Assert.Null(result.Fault);
        Assert.Equal(3 * 5 + 1, result.Records);
    }

    [Fact]
    public async Task Ranges_that_follow_each_other_miss_nothing_while_changes_are_committed()
    {
        using var stop = new CancellationTokenSource();
        var writing = Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        while (!stop.IsCancellationRequested)
                        {
                            await Store.CommitAsync(StoreSamples.Recorded(), default);
                            Time.Advance(TimeSpan.FromMilliseconds(1));
                        }
                    })
                )
        );
        var (from, seen) = (Now, 0L);
        for (var i = 0; i < 30; i++)
        {
            var to = Now;
            var records = await ReadLogAsync(from, to);
            Assert.Equal(
                Enumerable.Range(0, records.Count).Select(n => seen + 1 + n),
                records.Select(record => record.Sequence)
            );
            (from, seen) = (to, seen + records.Count);
        }

        await stop.CancelAsync();
        await writing;
    }

    /// <summary>The newest record of every stream.</summary>
    private static List<AuditPosition> Heads(List<AuditRecord> records) =>
        [
            .. records
                .GroupBy(record => record.Stream)
                .Select(stream => stream.Last())
                .Select(last => new AuditPosition(last.Stream, last.Sequence, AuditRecordWriter.Hash(last.Bytes.Span))),
        ];

    private async Task<AuditVerification> VerifyAsync(params AuditPosition[] expected)
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await new AuditExport(Log).WriteAsync(pipe, null, null, null, default);
        await pipe.CompleteAsync();
        file.Position = 0;
        return await AuditVerifier.VerifyAsync(file, expected, default);
    }
}
