using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>
/// Bounded queue between callers and the one writer. Whatever waits when the writer comes back is its next batch. A flush to
/// disk costs as much for one change as for a hundred, and those who were answered together come back together: so after a
/// large batch the writer waits a moment until as many have come, but never with a change that ends secrets.
/// </summary>
/// <param name="capacity">How many changes may wait.</param>
/// <param name="moment">How long is waited for company; a millisecond unless told.</param>
internal sealed class CommitQueue(int capacity, TimeSpan? moment = null)
{
    /// <summary>Fewer than these are no crowd: nothing is waited for.</summary>
    private const int Crowd = 8;

    private readonly TimeSpan _moment = moment ?? TimeSpan.FromMilliseconds(1);
    private readonly Queue<PendingCommit> _waiting = new();
    private readonly List<TaskCompletionSource> _passers = [];
    private readonly object _gate = new();
    private bool _closed;

    // How many came together last; with how many waiting the writer is woken, and whether with fewer.
    private int _last;
    private int _awaited = 1;
    private bool _isUrgent;

    /// <exception cref="StoreUnavailableException">The queue is full or closed.</exception>
    public void Add(PendingCommit commit)
    {
        lock (_gate)
        {
            if (_closed || _waiting.Count >= capacity)
            {
                throw new StoreUnavailableException(
                    _closed
                        ? "The store is closed."
                        : $"The store is overloaded: {capacity} changes wait for its writer. "
                            + "Nothing was committed; try again later."
                );
            }

            _waiting.Enqueue(commit);
            _isUrgent |= commit.EndsSecrets;
            if (_waiting.Count >= _awaited || _isUrgent)
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
            while (_waiting.Count == 0 && _passers.Count == 0 && !_closed)
            {
                Monitor.Wait(_gate);
            }

            if (_last >= Crowd && _waiting.Count < _last && _passers.Count == 0 && !_isUrgent && !_closed)
            {
                _awaited = _last;
                Monitor.Wait(_gate, _moment);
                _awaited = 1;
            }

            (_last, _isUrgent) = (Math.Min(_waiting.Count, limit), false);
            foreach (var passer in _passers)
            {
                passer.SetResult();
            }

            _passers.Clear();
            while (batch.Count < limit && _waiting.TryDequeue(out var commit))
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
