using CredBroker.Vault;

namespace CredBroker.UnitTests.Vault;

public sealed class VaultOptionsTests
{
    private static readonly VaultOptions Good = new()
    {
        Address = "https://vault.acme.example:8200",
        Installation = "prod",
        TokenFile = "/run/token",
    };

    [Fact]
    public void Good_settings_have_no_fault()
    {
        Assert.Empty(Good.Validate());
        Assert.Empty((Good with { Address = "http://127.0.0.1:8200" }).Validate());
        Assert.Empty((Good with { Address = "http://[::1]:8200/" }).Validate());
        Assert.Empty(
            (
                Good with
                {
                    TokenFile = "",
                    AppRole = new() { RoleId = "r", SecretIdFile = "/run/secret-id" },
                }
            ).Validate()
        );
    }

    public static TheoryData<VaultOptions, string> Faulty =>
        new()
        {
            { Good with { Address = "" }, "Vault:Address" },
            { Good with { Address = "vault:8200" }, "Vault:Address" },
            { Good with { Address = "http://vault.acme.example:8200" }, "write \"https://vault.acme.example:8200\"" },
            { Good with { Address = "https://user:pw@vault.acme.example:8200" }, "scheme, host and port only" },
            { Good with { Address = "https://vault.acme.example:8200/v1" }, "scheme, host and port only" },
            { Good with { Installation = "" }, "Vault:Installation" },
            { Good with { Installation = "Prod" }, "Vault:Installation" },
            // cb-prod-eu-x could be prod's or prod-eu's: the one would sweep the other's leases.
            { Good with { Installation = "prod-eu" }, "Vault:Installation" },
            { Good with { Installation = "prod\n" }, "Vault:Installation" },
            { Good with { Installation = new string('a', 21) }, "Vault:Installation" },
            { Good with { Namespace = "a b" }, "Vault:Namespace" },
            { Good with { CaFile = "/nowhere/ca.pem" }, "Vault:CaFile" },
            { Good with { TokenFile = "" }, "Vault:TokenFile or Vault:AppRole" },
            {
                Good with
                {
                    AppRole = new() { RoleId = "r", SecretIdFile = "/f" },
                },
                "Vault:TokenFile or Vault:AppRole"
            },
            {
                Good with
                {
                    TokenFile = "",
                    AppRole = new() { SecretIdFile = "/f" },
                },
                "RoleId"
            },
            {
                Good with
                {
                    TokenFile = "",
                    AppRole = new() { RoleId = "r" },
                },
                "SecretIdFile"
            },
            {
                Good with
                {
                    TokenFile = "",
                    AppRole = new()
                    {
                        RoleId = "r",
                        SecretIdFile = "/f",
                        Mount = "../sys",
                    },
                },
                "AppRole:Mount"
            },
            { Good with { CallTimeout = TimeSpan.Zero }, "Vault:CallTimeout" },
            { Good with { ProbeInterval = TimeSpan.FromHours(1) }, "Vault:ProbeInterval" },
            { Good with { MaxResponseBytes = 1 }, "Vault:MaxResponseBytes" },
            { Good with { MaxConnections = 0 }, "Vault:MaxConnections" },
        };

    [Theory]
    [MemberData(nameof(Faulty))]
    public void Each_fault_is_named_with_what_to_write_instead(VaultOptions options, string expected) =>
        Assert.Contains(expected, Assert.Single(options.Validate()));

    [Fact]
    public void All_faults_come_together() =>
        Assert.True(
            new VaultOptions { MaxConnections = 0 }
                .Validate()
                .Count() >= 4
        );
}
