namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>
/// A class or collection fixture holding one server that starts at first use, so that where there is no binary the
/// tests are skipped, not failed.
/// </summary>
public sealed class SharedBao : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private TestBao? _bao;

    public async Task<TestBao> GetAsync()
    {
        TestBao.SkipUnlessAvailable();
        await _gate.WaitAsync();
        try
        {
            return _bao ??= await TestBao.StartAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _gate.Dispose();
        if (_bao is not null)
        {
            await _bao.DisposeAsync();
        }
    }
}
