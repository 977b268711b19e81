using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// Where the bare floor writes: one writer commits everybody who waits in one transaction, durably, and each write takes
/// its hash-chained audit row along. What an engine does with a write is its subclass's.
/// </summary>
internal abstract class BareStore : IDisposable
{
    private const int MaxBatch = 256;

    private readonly BlockingCollection<(BareWrite Write, string EventType, TaskCompletionSource Done)> _queue = [];
    private readonly Thread _writer;
    private string _previous = new('0', 64);

    protected BareStore() => _writer = new Thread(Write) { IsBackground = true, Name = "commit" };

    /// <summary>The number of the newest audit row.</summary>
    protected long Sequence { get; set; }

    /// <summary>As a child's arguments name it.</summary>
    public static BareStore Open(ReadOnlySpan<string> arguments) =>
        arguments switch
        {
            ["sqlite", var file] => new BareSqlite(file),
            ["postgres", var settings] => new BareTwoTables(File.ReadAllText(settings)),
            ["store-rows", var settings, var record] => new BareStoreRows(
                File.ReadAllText(settings),
                int.Parse(record, CultureInfo.InvariantCulture)
            ),
            _ => throw new ArgumentException("Which store is not said.", nameof(arguments)),
        };

    public Task CommitAsync(BareWrite write, string eventType)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((write, eventType, done));
        return done.Task;
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        _writer.Join();
        _queue.Dispose();
        Close();
    }

    /// <summary>Called when everything is there that a write needs.</summary>
    protected void Start() => _writer.Start();

    protected abstract void Begin();

    protected abstract void Put(BareWrite write, string eventType);

    protected abstract void Commit();

    protected abstract void Close();

    /// <summary>The next record of the chain.</summary>
    protected byte[] NextLine(BareWrite write, string eventType)
    {
        var (time, lease) = (TimeProvider.System.GetUtcNow(), Encoding.UTF8.GetString(write.Lease));
        var line = Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"sequence":{{++Sequence}}"""
                    + $$""","previous":"{{_previous}}","time":"{{time:O}}","type":"{{eventType}}","""
                    + $$""" "leaseId":"{{write.LeaseId}}","details":{{lease}}}"""
            )
        );
        _previous = Convert.ToHexStringLower(SHA256.HashData(line));
        return line;
    }

    private void Write()
    {
        var batch = new List<TaskCompletionSource>(MaxBatch);
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            Begin();
            var next = first;
            do
            {
                Put(next.Write, next.EventType);
                batch.Add(next.Done);
            } while (batch.Count < MaxBatch && _queue.TryTake(out next));

            Commit();
            batch.ForEach(done => done.SetResult());
            batch.Clear();
        }
    }
}

/// <summary>One write of a lease's row: pending first, active then.</summary>
internal sealed record BareWrite(string LeaseId, string State, byte[] Lease, string Handle);
