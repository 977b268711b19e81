using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Vault;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>The contract on a real OpenBao, prepared by <c>vault setup</c> alone.</summary>
public sealed class OpenBaoContractTests : VaultContractTests
{
    private BaoEnvironment? environment;

    protected override async Task<VaultOptions> PrepareAsync()
    {
        environment = await BaoEnvironment.StartAsync(await TestBao.StartAsync(), null, Catalogue.KeyValue, Catalogue.Sign, Catalogue.Issue, Catalogue.Token);
        await environment.WriteKeyValueAsync();
        return environment.Options;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (environment is not null)
        {
            await environment.DisposeAsync();
        }
    }
}
