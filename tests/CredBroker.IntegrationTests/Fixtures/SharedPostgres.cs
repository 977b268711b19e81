namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>
/// A class or collection fixture holding one cluster that starts at first use, so that where there are no programs the
/// tests are skipped, not failed.
/// </summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private TestPostgres? _postgres;

    public async Task<TestPostgres> GetAsync()
    {
        TestPostgres.SkipUnlessAvailable();
        await _gate.WaitAsync();
        try
        {
            return _postgres ??= await TestPostgres.StartAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _gate.Dispose();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }
}
