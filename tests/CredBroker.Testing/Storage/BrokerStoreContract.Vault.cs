using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task A_cluster_of_Vault_is_believed_until_another_takes_its_place()
    {
        Assert.Null(await Store.VaultCluster.FindAsync(default));
        await CommitAsync(Accepted("one", null));
        Assert.Equal(new("one", null, Prod), await Store.VaultCluster.FindAsync(default));
        await AssertGuardAsync(GuardFailure.WrongState, Accepted("two", null));
        await AssertGuardAsync(GuardFailure.WrongState, Accepted("two", "three"));

        Time.Advance(TimeSpan.FromHours(1));
        await CommitAsync(Accepted("two", "one"));
        var changedAt = Now;
        Time.Advance(TimeSpan.FromHours(1));
        Reopen();

        Assert.Equal(new("two", changedAt, Prod), await Store.VaultCluster.FindAsync(default));
    }

    [Fact]
    public async Task A_place_in_Vault_is_the_stores_until_another_takes_its_place()
    {
        await CommitAsync(Accepted("one", null));
        var other = Prod with { Namespace = "team" };
        await AssertGuardAsync(GuardFailure.WrongState, Accepted("one", "one") with { ExpectedHome = other });
        await AssertGuardAsync(
            GuardFailure.WrongState,
            Accepted("one", "one") with
            {
                ExpectedHome = null,
                Home = other,
            }
        );

        Time.Advance(TimeSpan.FromHours(1));
        await CommitAsync(Accepted("one", "one") with { Home = other });

        Assert.Equal(new("one", Now, other), await Store.VaultCluster.FindAsync(default));
    }

    private static VaultHome Prod => new("prod", "");

    private static StateChange.VaultClusterAccepted Accepted(string cluster, string? expected) =>
        new()
        {
            Cluster = cluster,
            Home = Prod,
            Expected = expected,
            ExpectedHome = expected is null ? null : Prod,
            Event = StoreSamples.Event("vault.cluster-accepted"),
        };
}
