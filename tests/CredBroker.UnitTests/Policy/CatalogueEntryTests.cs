using CredBroker.Core.Policy;

namespace CredBroker.UnitTests.Policy;

/// <summary>Which credentials count as having the same thing behind them.</summary>
public sealed class CatalogueEntryTests
{
    private static readonly DatabaseConnection Server = new("db.example", 5432, "billing", "require");

    [Fact]
    public void Databases_of_one_server_have_one_backend_through_whichever_mount_role_and_database()
    {
        var one = Entry(new VaultBinding.Database("database", "reader")) with { Connection = Server };
        var other = Entry(new VaultBinding.Database("pg/more", "writer")) with
        {
            Connection = Server with { Host = "DB.example", Database = "ledger" },
        };

        Assert.Equal(one.Backend, other.Backend);
        Assert.NotEqual(one.Backend, (other with { Connection = Server with { Port = 5433 } }).Backend);
        Assert.NotEqual(one.Backend, (other with { Connection = Server with { Host = "db2.example" } }).Backend);
    }

    [Fact]
    public void Where_no_server_is_known_all_of_the_mount_is_one_backend()
    {
        var one = Entry(new VaultBinding.Database("database", "reader")).Backend;

        Assert.Equal(one, Entry(new VaultBinding.Database("database", "writer")).Backend);
        Assert.Equal(one, Entry(new VaultBinding.Dynamic("database/creds/mysql", "GET")).Backend);
        Assert.NotEqual(one, Entry(new VaultBinding.Database("other", "reader")).Backend);
    }

    [Theory]
    [InlineData("aws/creds/deploy", "aws")]
    [InlineData("aws/sts/deploy", "aws")]
    [InlineData("team/a/rabbitmq/creds/queue", "team/a/rabbitmq")]
    [InlineData("gcp/roleset/deploy/token", "gcp/roleset")]
    [InlineData("nomad/x", "nomad")]
    [InlineData("nomad", "nomad")]
    public void A_dynamic_engines_backend_is_its_mounts(string path, string backend) =>
        Assert.Equal(backend, Entry(new VaultBinding.Dynamic(path, "GET")).Backend);

    private static CatalogueEntry Entry(VaultBinding vault) =>
        new()
        {
            Name = "x",
            Vault = vault,
            Access = AccessKind.Read,
            Impact = ImpactLevel.Low,
            Reversible = true,
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(5),
        };
}
