using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// The room for checking signatures, which whoever sends a token makes the broker do. A source has one checked at a
/// time, the sources take turns, and at most half of the processors are at it; so that nobody's flood of forged tokens
/// takes another's turn, or the time of those who are known already. Beyond a bound nobody waits.
/// </summary>
[SuppressMessage(
    "Design",
    "CA1001",
    Justification = "A semaphore whose wait handle nobody asked for holds nothing to be let go of."
)]
internal sealed class SignatureRoom(int processors)
{
    /// <summary>
    /// How many tokens of one source wait: as many as may come at once from all the agents behind one address that a
    /// broker's restart brings back.
    /// </summary>
    public const int MaxPerSource = 1024;

    private const int MaxInAll = 8192;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue> _queues = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _processors = new(processors);
    private int _count;

    public SignatureRoom()
        : this(Math.Max(1, Environment.ProcessorCount / 2)) { }

    /// <summary>Waits for its turn; false where too many wait already. Whoever got in leaves again.</summary>
    public async ValueTask<bool> EnterAsync(string source, CancellationToken cancellationToken)
    {
        if (Join(source) is not { } queue)
        {
            return false;
        }

        var isFirst = false;
        try
        {
            await queue.Turn.WaitAsync(cancellationToken);
            isFirst = true;
            await _processors.WaitAsync(cancellationToken);
            return true;
        }
        catch
        {
            Quit(source, queue, isFirst);
            throw;
        }
    }

    /// <summary>The signature is checked.</summary>
    public void Leave(string source)
    {
        _processors.Release();
        Queue queue;
        lock (_gate)
        {
            queue = _queues[source];
        }

        Quit(source, queue, isFirst: true);
    }

    private Queue? Join(string source)
    {
        lock (_gate)
        {
            var queue = _queues.GetValueOrDefault(source);
            if (_count >= MaxInAll || queue?.Count >= MaxPerSource)
            {
                return null;
            }

            if (queue is null)
            {
                _queues.Add(source, queue = new());
            }

            _count++;
            queue.Count++;
            return queue;
        }
    }

    private void Quit(string source, Queue queue, bool isFirst)
    {
        lock (_gate)
        {
            _count--;
            if (--queue.Count == 0)
            {
                _queues.Remove(source);
            }
        }

        if (isFirst)
        {
            queue.Turn.Release();
        }
    }

    private sealed class Queue
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public int Count { get; set; }
    }
}
