using System.IO.Pipelines;
using System.Text;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Testing.Audit;

namespace CredBroker.UnitTests.Audit;

/// <summary>An audit log in memory, chained as a store chains it.</summary>
internal sealed class ChainedLog : IAuditLog
{
    public ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken) => new((AuditArchive?)null);

    public ValueTask<AuditPrefix?> PrefixAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        new((AuditPrefix?)null);

    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly List<(AuditRecord Record, DateTimeOffset Time)> _records = [];
    private AuditPosition? _head;

    public DateTimeOffset Now { get; set; } = Start;

    public AuditPosition Head => _head!;

    public int Count => _records.Count;

    public IReadOnlyList<(AuditRecord Record, DateTimeOffset Time)> Records => _records;

    /// <summary>A process starts: a stream, opened by the record that names the one before.</summary>
    /// <param name="number">The stream's.</param>
    /// <param name="found">How many records it says that it found; all of them, unless the log is a forged one.</param>
    public ChainedLog Open(int number, int? found = null)
    {
        var count = found ?? _records.Count;
        var newest = count == 0 ? null : _records[count - 1].Record.Bytes.ToArray();
        _head = new($"{number:x32}", 0, AuditPosition.NoHash);
        return Append(
            new()
            {
                What = new StreamOpened { Predecessor = StreamPredecessor.Of(newest) },
                Actor = AuditActor.Broker("store"),
            }
        );
    }

    public ChainedLog Close() => Append(new() { What = new StreamClosed(), Actor = AuditActor.Broker("store") });

    public ChainedLog Append(AuditEvent auditEvent)
    {
        Now += TimeSpan.FromSeconds(1);
        var bytes = AuditRecordWriter.Seal(
            Head.Stream,
            Head.Sequence + 1,
            Now,
            Head.Hash,
            AuditRecordWriter.WriteBody(auditEvent)
        );
        _records.Add((new(Head.Stream, Head.Sequence + 1, Head.Hash, bytes), Now));
        _head = new(Head.Stream, Head.Sequence + 1, AuditRecordWriter.Hash(bytes));
        return this;
    }

    public ChainedLog AppendSome(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Append(
                new()
                {
                    What = new TestFact("test.event", json => json.WriteNumber("a", 1)),
                    Actor = AuditActor.Broker("test"),
                    Reason = $"event {i}",
                }
            );
        }

        return this;
    }

    /// <summary>Two processes, the first of which crashed: 1 + 5 records, then 1 + 4 + closing.</summary>
    public static ChainedLog Sample() => new ChainedLog().Open(1).AppendSome(5).Open(2).AppendSome(4).Close();

    public IAsyncEnumerable<AuditRecord> ReadAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        CancellationToken cancellationToken
    ) =>
        _records
            .Where(entry => entry.Time >= from && entry.Time < to && (after is null || IsAfter(entry.Record, after)))
            .Select(entry => entry.Record)
            .ToAsyncEnumerable();

    public async Task<byte[]> ExportAsync(
        DateTimeOffset? from = null,
        DateTimeOffset? to = null,
        AuditCursor? after = null
    )
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await new AuditExport(this).WriteAsync(pipe, from, to, after, default);
        await pipe.CompleteAsync();
        return file.ToArray();
    }

    public async Task<List<string>> ExportLinesAsync() => [.. Lines(await ExportAsync())];

    public static IEnumerable<string> Lines(byte[] export) => Encoding.UTF8.GetString(export).TrimEnd('\n').Split('\n');

    public static byte[] Join(IEnumerable<string> lines) =>
        Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")));

    /// <summary>The log without some of its records, as a forger would have it exported.</summary>
    public ChainedLog Without(int start, int count)
    {
        var log = new ChainedLog { Now = Now, _head = _head };
        log._records.AddRange(_records.Take(start).Concat(_records.Skip(start + count)));
        return log;
    }

    /// <summary>The log with some of its records only.</summary>
    public ChainedLog With(Func<int, bool> isKept)
    {
        var log = new ChainedLog { Now = Now, _head = _head };
        log._records.AddRange(_records.Where((_, place) => isKept(place)));
        return log;
    }

    /// <summary>Where the record at this place of the log stands in the chain.</summary>
    public AuditPosition Position(int place) =>
        new(
            _records[place].Record.Stream,
            _records[place].Record.Sequence,
            AuditRecordWriter.Hash(_records[place].Record.Bytes.Span)
        );

    public int PlaceOf(string stream, long sequence) =>
        _records.FindIndex(entry => entry.Record.Stream == stream && entry.Record.Sequence == sequence);

    /// <summary>Processes one after the other, none of which stopped in good order.</summary>
    public static ChainedLog Streams(int count, int records)
    {
        var log = new ChainedLog();
        for (var stream = 1; stream <= count; stream++)
        {
            log.Open(stream).AppendSome(records - 1);
        }

        return log;
    }

    /// <summary>An hour too late from the first stream's fourth record on, until the repair; two more are right.</summary>
    public static ChainedLog Repaired()
    {
        var log = new ChainedLog().Open(1).AppendSome(2);
        Repair(log);
        return log.Open(2).AppendSome(4).Close().Open(3).AppendSome(3);
    }

    /// <summary>The same with fewer records.</summary>
    public static ChainedLog SmallRepaired()
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

    private static bool IsAfter(AuditRecord record, AuditCursor cursor) =>
        string.CompareOrdinal(record.Stream, cursor.Stream) is var order
        && (order > 0 || order == 0 && record.Sequence > cursor.Sequence);
}
