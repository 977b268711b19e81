using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Wakes whoever waits for people's word on a question: at once where it was said at this broker, by the store's news
/// where it was said at another. A hint that saves waiting: whoever misses it looks each second.
/// </summary>
public sealed class ApprovalNews : IDisposable
{
    private readonly IBrokerStore _store;
    private TaskCompletionSource _next = New();

    /// <summary>Begins to hear the store's news.</summary>
    public ApprovalNews(IBrokerStore store)
    {
        _store = store;
        store.News += Raise;
    }

    /// <summary>Completes with the next word; to be taken before one looks, so that none is missed between.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Something was said.</summary>
    public void Raise() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    /// <inheritdoc/>
    public void Dispose() => _store.News -= Raise;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
