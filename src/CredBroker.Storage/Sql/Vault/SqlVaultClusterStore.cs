using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Vault;

/// <summary>Changes which cluster of Vault is believed, and where in it.</summary>
internal static class SqlVaultClusterStore
{
    public static ChangeResult Accept(SqlSession session, StateChange.VaultClusterAccepted change)
    {
        var (cluster, home) = (change.Cluster, change.Home);
        if (change.Expected is not { } expected)
        {
            return Result(
                session.Execute(
                    "INSERT INTO vault_cluster (id, cluster, installation, namespace) "
                        + "VALUES (1, @cluster, @installation, @namespace) ON CONFLICT DO NOTHING",
                    ("@cluster", cluster),
                    ("@installation", home.Installation),
                    ("@namespace", home.Namespace)
                )
            );
        }

        if (change.ExpectedHome is not { } before)
        {
            // An older version has recorded the cluster alone.
            if (cluster == expected)
            {
                return Result(
                    session.Execute(
                        "UPDATE vault_cluster SET installation = @installation, namespace = @namespace "
                            + "WHERE cluster = @expected AND installation IS NULL",
                        ("@installation", home.Installation),
                        ("@namespace", home.Namespace),
                        ("@expected", expected)
                    ),
                    isSame: true
                );
            }

            before = new("", "");
        }

        var changed = session.Execute(
            """
            UPDATE vault_cluster SET cluster = @cluster, installation = @installation, namespace = @namespace, changed_at = @now
            WHERE cluster = @expected AND coalesce(installation, '') = @formerly AND coalesce(namespace, '') = @there
            """,
            ("@cluster", cluster),
            ("@installation", home.Installation),
            ("@namespace", home.Namespace),
            ("@now", session.NowColumn),
            ("@expected", expected),
            ("@formerly", before.Installation),
            ("@there", before.Namespace)
        );
        if (changed > 0)
        {
            session.Head = session.Head with { VaultChangedAt = ColumnValue.Time(session.NowColumn) };
        }

        return Result(changed);

        ChangeResult Result(int changed, bool isSame = false)
        {
            if (changed == 0)
            {
                return GuardFailure.WrongState;
            }

            if (!isSame)
            {
                // What was written to the one before says nothing of this one.
                session.Execute("UPDATE store SET anchored = 0");
            }

            return ChangeResult.Done;
        }
    }
}
