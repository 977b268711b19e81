using CredBroker.Core.Policy;
using CredBroker.Vault.Check;

namespace CredBroker.UnitTests.Vault;

/// <summary>What <c>vault check</c> says of databases that may stop answering.</summary>
public sealed class DeadDatabasesTests
{
    [Fact]
    public void Where_there_are_databases_it_names_them_and_what_OpenBao_cannot_bear()
    {
        var server = new DatabaseConnection("db.example", 5432, "billing", "require");

        var warning = Assert.Single(
            DeadDatabases.Warnings([
                Entry("one", new VaultBinding.Database("database", "one")) with
                {
                    Connection = server,
                },
                Entry("two", new VaultBinding.Database("database", "two")) with
                {
                    Connection = server,
                },
                Entry("kv", new VaultBinding.KeyValue("secret", "x")),
            ])
        );

        Assert.True(warning.Passed);
        Assert.Equal("databases that may stop answering: db.example:5432", warning.What);
        Assert.Contains("64 storage transactions", warning.Detail, StringComparison.Ordinal);
        Assert.Contains("no more than about 30 leases alive at each", warning.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void It_says_which_credentials_wait_for_each_other_because_nobody_knows_their_servers()
    {
        var warnings = DeadDatabases
            .Warnings([
                Entry("one", new VaultBinding.Database("database", "one")),
                Entry("two", new VaultBinding.Database("database", "two")),
                Entry("alone", new VaultBinding.Database("other", "alone")),
            ])
            .ToList();

        Assert.Equal(2, warnings.Count);
        Assert.Equal("credentials without a connection: one, two", warnings[1].What);
        Assert.Contains("`connection`", warnings[1].Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(19, false)]
    [InlineData(20, true)]
    public void It_says_how_many_may_stop_at_once_where_there_are_more(int databases, bool says) =>
        Assert.Equal(
            says,
            DeadDatabases
                .Warnings(
                    Enumerable
                        .Range(0, databases)
                        .Select(i =>
                            Entry($"db{i}", new VaultBinding.Database("database", $"db{i}")) with
                            {
                                Connection = new($"db{i}.example", 5432, "billing", "require"),
                            }
                        )
                )
                .Any(warning => warning.Detail.StartsWith("If more than 19 of them", StringComparison.Ordinal))
        );

    [Fact]
    public void Without_databases_it_says_nothing() =>
        Assert.Empty(DeadDatabases.Warnings([Entry("kv", new VaultBinding.KeyValue("secret", "x"))]));

    private static CatalogueEntry Entry(string name, VaultBinding vault) =>
        new()
        {
            Name = name,
            Vault = vault,
            Access = AccessKind.Read,
            Impact = ImpactLevel.Low,
            Reversible = true,
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(5),
        };
}
