using CredBroker.Core.Policy;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// A class fixture: one prepared OpenBao for all tests of a class, started at first use so that its absence skips them.
/// </summary>
public sealed class PreparedBao : IAsyncDisposable
{
    private BaoEnvironment? _environment;

    internal async Task<BaoEnvironment> GetAsync(params CatalogueEntry[] catalogue)
    {
        if (_environment is null)
        {
            _environment = await BaoEnvironment.StartAsync(await TestBao.StartAsync(), null, catalogue);
            await _environment.WriteKeyValueAsync();
        }

        return _environment;
    }

    public ValueTask DisposeAsync() => _environment?.DisposeAsync() ?? ValueTask.CompletedTask;
}
