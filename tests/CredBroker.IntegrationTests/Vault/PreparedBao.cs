using CredBroker.Core.Policy;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>A class fixture: one prepared OpenBao for all tests of a class, started at first use so that its absence skips them.</summary>
public sealed class PreparedBao : IAsyncDisposable
{
    private BaoEnvironment? environment;

    internal async Task<BaoEnvironment> GetAsync(params CatalogueEntry[] catalogue)
    {
        if (environment is null)
        {
            environment = await BaoEnvironment.StartAsync(await TestBao.StartAsync(), null, catalogue);
            await environment.WriteKeyValueAsync();
        }

        return environment;
    }

    public ValueTask DisposeAsync() => environment?.DisposeAsync() ?? ValueTask.CompletedTask;
}
