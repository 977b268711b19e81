using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;

namespace CredBroker.Storage.Sql.Policies;

/// <summary>ChangeResult policy versions.</summary>
internal static class SqlPolicyStore
{
    public static ChangeResult Apply(SqlSession session, StateChange.PolicyApplied change)
    {
        if (change.Expected != session.Head.PolicyVersion)
        {
            return GuardFailure.PolicyChanged;
        }

        if (
            session.ReadFirst(
                "SELECT version FROM policy_version WHERE hash = @hash",
                row => row.Number(0),
                ("@hash", change.Hash)
            ) != 0
        )
        {
            return GuardFailure.PolicyWasVersionBefore;
        }

        var version = change.Expected + 1;
        session.Execute(
            """
            INSERT INTO policy_version (version, hash, document, applied_at)
            VALUES (@version, @hash, @document, @now)
            """,
            ("@version", version),
            ("@hash", change.Hash),
            ("@document", JsonSerializer.Serialize(change.Document, StateJson.Default.PolicyDocument)),
            ("@now", session.NowColumn)
        );
        session.Head = session.Head with { PolicyVersion = version };
        return ChangeResult.Done with { Number = version };
    }
}
