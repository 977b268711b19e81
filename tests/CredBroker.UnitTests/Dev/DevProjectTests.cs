using CredBroker.Dev;

namespace CredBroker.UnitTests.Dev;

public sealed class DevProjectTests
{
    [Fact]
    public void The_pretend_Vault_shares_no_type_with_the_client_that_it_judges() =>
        Assert.Equal(
            ["CredBroker.Core"],
            typeof(DevVault)
                .Assembly.GetReferencedAssemblies()
                .Select(assembly => assembly.Name!)
                .Where(name => name.StartsWith("CredBroker", StringComparison.OrdinalIgnoreCase))
        );

    [Fact]
    public void Only_what_starts_it_and_what_is_asked_of_it_is_public() =>
        Assert.Equal(
            ["DevIssuer", "DevPerson", "DevPolicy", "DevVault", "DevVaultOptions"],
            typeof(DevVault).Assembly.GetExportedTypes().Select(type => type.Name).Order(StringComparer.Ordinal)
        );
}
