using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Vault;

/// <summary>Changes which cluster of Vault is believed.</summary>
internal static class SqlVaultClusterStore
{
    public static ChangeResult Accept(SqlSession session, StateChange.VaultClusterAccepted change) =>
        (
            change.Expected is { } expected
                ? session.Execute(
                    "UPDATE vault_cluster SET cluster = @cluster, changed_at = @now WHERE cluster = @expected",
                    ("@cluster", change.Cluster),
                    ("@now", session.NowColumn),
                    ("@expected", expected)
                )
                : session.Execute(
                    "INSERT INTO vault_cluster (id, cluster) VALUES (1, @cluster) ON CONFLICT DO NOTHING",
                    ("@cluster", change.Cluster)
                )
        ) == 1
            ? ChangeResult.Done
            : GuardFailure.WrongState;
}
