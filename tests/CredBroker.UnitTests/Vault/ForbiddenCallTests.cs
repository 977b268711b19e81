using CredBroker.Core.Policy;
using CredBroker.Vault.Check;

namespace CredBroker.UnitTests.Vault;

public sealed class ForbiddenCallTests
{
    [Theory]
    [InlineData("secret", "{tenant}", false)]
    [InlineData("secret", "{tenant}/key", true)]
    [InlineData("other", "{tenant}", true)]
    [InlineData("secret", "billing", true)]
    public void A_value_that_a_parameter_leads_to_is_not_outside_the_catalogue(
        string mount,
        string path,
        bool isOutside
    )
    {
        var entry = new CatalogueEntry
        {
            Name = "key",
            Vault = new VaultBinding.KeyValue(mount, path),
            Access = AccessKind.Read,
            Impact = ImpactLevel.Low,
            Reversible = true,
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(5),
        };

        Assert.Equal(
            isOutside,
            ForbiddenCall
                .For("test", [entry])
                .Any(call => (call.Method, call.Path) == ("GET", "secret/data/credbroker-check"))
        );
    }
}
