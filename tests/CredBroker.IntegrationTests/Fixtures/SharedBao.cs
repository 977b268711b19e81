namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>A class or collection fixture holding one server that starts at first use, so that where there is no binary the tests are skipped, not failed.</summary>
public sealed class SharedBao : IAsyncDisposable
{
    private readonly SemaphoreSlim gate = new(1);
    private TestBao? bao;

    public async Task<TestBao> GetAsync()
    {
        TestBao.SkipUnlessAvailable();
        await gate.WaitAsync();
        try
        {
            return bao ??= await TestBao.StartAsync();
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        gate.Dispose();
        if (bao is not null)
        {
            await bao.DisposeAsync();
        }
    }
}
