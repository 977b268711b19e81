using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Vault;

/// <summary>Changes which cluster of Vault is believed.</summary>
internal static class SqlVaultClusterStore
{
    public static ChangeResult Accept(SqlSession session, StateChange.VaultClusterAccepted change)
    {
        var accepted = change.Expected is { } expected
            ? session.Execute(
                "UPDATE vault_cluster SET cluster = @cluster, changed_at = @now WHERE cluster = @expected",
                ("@cluster", change.Cluster),
                ("@now", session.NowColumn),
                ("@expected", expected)
            )
            : session.Execute(
                "INSERT INTO vault_cluster (id, cluster) VALUES (1, @cluster) ON CONFLICT DO NOTHING",
                ("@cluster", change.Cluster)
            );
        if (accepted == 0)
        {
            return GuardFailure.WrongState;
        }

        // What was written to the one before says nothing of this one.
        session.Execute("UPDATE store SET anchored = 0");
        return ChangeResult.Done;
    }
}
