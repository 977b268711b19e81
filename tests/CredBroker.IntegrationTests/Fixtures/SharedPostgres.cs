namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>A class or collection fixture holding one cluster that starts at first use, so that where there are no programs the tests are skipped, not failed.</summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    private readonly SemaphoreSlim gate = new(1);
    private TestPostgres? postgres;

    public async Task<TestPostgres> GetAsync()
    {
        TestPostgres.SkipUnlessAvailable();
        await gate.WaitAsync();
        try
        {
            return postgres ??= await TestPostgres.StartAsync();
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        gate.Dispose();
        if (postgres is not null)
        {
            await postgres.DisposeAsync();
        }
    }
}
