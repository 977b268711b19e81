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

        if (change.Origin.Restores is { } restored)
        {
            if (
                session.ReadFirst(
                    "SELECT version FROM policy_version WHERE version = @restored AND hash = @hash",
                    row => row.Number(0),
                    ("@restored", restored),
                    ("@hash", change.Hash)
                ) == 0
            )
            {
                return GuardFailure.NotFound;
            }
        }
        else if (
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
            INSERT INTO policy_version (
              version, hash, document, applied_at, author_issuer, author_subject, restores, reason)
            VALUES (@version, @hash, @document, @now, @author_issuer, @author_subject, @restores, @reason)
            """,
            ("@version", version),
            ("@hash", change.Hash),
            ("@document", JsonSerializer.Serialize(change.Document, StateJson.Default.PolicyDocument)),
            ("@now", session.NowColumn),
            ("@author_issuer", change.Origin.Author?.Issuer),
            ("@author_subject", change.Origin.Author?.Subject),
            ("@restores", change.Origin.Restores),
            ("@reason", change.Origin.Reason)
        );
        session.Head = session.Head with { PolicyVersion = version };
        return ChangeResult.Done with { Number = version };
    }
}
