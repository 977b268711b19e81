using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>
/// Room for one preview at a time, and for so long only. Each goes over all live leases: what asks for it often, or asks
/// with a document that takes long to try, keeps nobody from being issued a secret.
/// </summary>
internal sealed class PreviewRoom(TimeProvider time) : IDisposable
{
    /// <summary>How long one may take.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly Refusal Busy = new(
        RefusalCode.Overloaded,
        "Another preview is under way. Try again in a moment.",
        TimeSpan.FromSeconds(1)
    );
    private static readonly Refusal TooLong = new(
        RefusalCode.Overloaded,
        "The preview did not come to its end within 30 s: there are too many live leases, or the document's rules take "
            + "too long to try. Nothing was changed.",
        Limit
    );

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Runs it, unless another one runs, and gives it up when its time is over.</summary>
    public async ValueTask<Checked<T>> RunAsync<T>(
        Func<CancellationToken, ValueTask<T>> run,
        CancellationToken cancellationToken
    )
        where T : class
    {
        if (!await _turn.WaitAsync(TimeSpan.Zero, cancellationToken))
        {
            return Busy;
        }

        try
        {
            using var deadline = new CancellationTokenSource(Limit, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            try
            {
                return await run(either.Token);
            }
            catch (OperationCanceledException)
                when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return TooLong;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
