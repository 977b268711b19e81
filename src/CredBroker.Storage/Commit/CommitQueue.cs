using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>
/// Bounded queue between callers and the one writer. Whatever waits when the writer comes back is its next batch. A flush to
/// disk costs as much for one change as for a hundred, and those who were answered together come back together: so after a
/// large batch the writer waits a moment until as many have come, but never with a change that ends secrets. Those are taken
/// before all others, and the others take none of their room: what is issued keeps nothing from being revoked.
/// </summary>
/// <param name="capacity">How many changes may wait, and as many again that end secrets.</param>
/// <param name="moment">How long is waited for company; a millisecond unless told.</param>
internal sealed class CommitQueue(int capacity, TimeSpan? moment = null)
{
    /// <summary>Fewer than these are no crowd: nothing is waited for.</summary>
    private const int Crowd = 8;

    private readonly TimeSpan _moment = moment ?? TimeSpan.FromMilliseconds(1);
    private readonly Queue<PendingCommit> _waiting = new();
    private readonly Queue<PendingCommit> _ending = new();
    private readonly List<TaskCompletionSource> _passers = [];
    private readonly object _gate = new();
    private bool _closed;

    // How many came together last, and with how many waiting the writer is woken.
    private int _last;
    private int _awaited = 1;

    private int Count => _waiting.Count + _ending.Count;

    /// <exception cref="StoreUnavailableException">The queue is full or closed.</exception>
    public void Add(PendingCommit commit)
    {
        lock (_gate)
        {
            var waiting = commit.EndsSecrets ? _ending : _waiting;
            if (_closed || waiting.Count >= capacity)
            {
                throw new StoreUnavailableException(
                    _closed
                        ? "The store is closed."
                        : $"The store is overloaded: {capacity} changes wait for its writer. "
                            + "Nothing was committed; try again later."
                );
            }

            waiting.Enqueue(commit);
            if (Count >= _awaited || _ending.Count > 0)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>
    /// Completes when every batch that the writer has begun is over. Takes no place in the queue, so that reading works
    /// under overload.
    /// </summary>
    public Task PassAsync()
    {
        var passer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_closed)
            {
                throw new StoreUnavailableException("The store is closed.");
            }

            _passers.Add(passer);
            Monitor.Pulse(_gate);
        }

        return passer.Task;
    }

    /// <summary>
    /// Waits for work; false once the queue is closed and empty. Called by the writer alone, between batches.
    /// </summary>
    public bool Take(List<PendingCommit> batch, int limit)
    {
        lock (_gate)
        {
            while (Count == 0 && _passers.Count == 0 && !_closed)
            {
                Monitor.Wait(_gate);
            }

            if (_last >= Crowd && _waiting.Count < _last && _passers.Count == 0 && _ending.Count == 0 && !_closed)
            {
                _awaited = _last;
                Monitor.Wait(_gate, _moment);
                _awaited = 1;
            }

            _last = Math.Min(Count, limit);
            foreach (var passer in _passers)
            {
                passer.SetResult();
            }

            _passers.Clear();
            while (batch.Count < limit && (_ending.TryDequeue(out var commit) || _waiting.TryDequeue(out commit)))
            {
                if (commit.TryTake())
                {
                    batch.Add(commit);
                }
            }

            return batch.Count > 0 || !_closed;
        }
    }

    /// <summary>Takes nothing more; what waits is still committed.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }
}
