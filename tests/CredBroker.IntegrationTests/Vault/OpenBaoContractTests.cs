using CredBroker.Vault;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>The contract on a real OpenBao, prepared by <c>vault setup</c> alone.</summary>
public sealed class OpenBaoContractTests(PreparedBao bao) : VaultContractTests, IClassFixture<PreparedBao>
{
    protected override async Task<VaultOptions> PrepareAsync() =>
        (await bao.GetAsync(Catalogue.KeyValue, Catalogue.Sign, Catalogue.Issue, Catalogue.Token)).Options;
}
