namespace CredBroker.Server.Identity.Keys;

/// <summary>Reads every source of keys when it is due, so that no request waits for it.</summary>
internal sealed class KeyRefreshService(KeySources sources, IHostApplicationLifetime lifetime, TimeProvider time)
    : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not before the server listens: in dev mode it is its own issuer.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var onStarted = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        await Task.WhenAll(sources.All.Select(source => RefreshAsync(source, stoppingToken)));
    }

    private async Task RefreshAsync(KeySource source, CancellationToken stoppingToken)
    {
        while (true)
        {
            await source.ReadAsync().WaitAsync(stoppingToken);
            await Task.Delay(source.NextRead, time, stoppingToken);
        }
    }
}
