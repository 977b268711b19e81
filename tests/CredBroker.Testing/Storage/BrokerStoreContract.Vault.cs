using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task A_cluster_of_Vault_is_believed_until_another_takes_its_place()
    {
        Assert.Null(await Store.VaultCluster.FindAsync(default));
        await CommitAsync(Accepted("one", null));
        Assert.Equal(new("one", null), await Store.VaultCluster.FindAsync(default));
        await AssertGuardAsync(GuardFailure.WrongState, Accepted("two", null));
        await AssertGuardAsync(GuardFailure.WrongState, Accepted("two", "three"));

        Time.Advance(TimeSpan.FromHours(1));
        await CommitAsync(Accepted("two", "one"));
        var changedAt = Now;
        Time.Advance(TimeSpan.FromHours(1));
        Reopen();

        Assert.Equal(new("two", changedAt), await Store.VaultCluster.FindAsync(default));
    }

    private static StateChange.VaultClusterAccepted Accepted(string cluster, string? expected) =>
        new()
        {
            Cluster = cluster,
            Expected = expected,
            Event = StoreSamples.Event("vault.cluster-accepted"),
        };
}
