using System.Text.Json;
using CredBroker.Core;
using CredBroker.Core.Leases;
using Dapper;
using Microsoft.Data.Sqlite;

namespace CredBroker.Storage.Sqlite;

/// <summary>Applied policy versions.</summary>
internal static class SqlPolicyStore
{
    public static Applied Apply(WriteSession session, StateChange.PolicyApplied change)
    {
        if (change.Expected != session.Head.PolicyVersion)
        {
            return GuardFailure.PolicyChanged;
        }

        if (
            session.ReadFirst(
                "SELECT version FROM policy_version WHERE hash = $hash",
                row => row.Number(0),
                ("$hash", change.Hash)
            ) != 0
        )
        {
            return GuardFailure.PolicyWasVersionBefore;
        }

        var version = change.Expected + 1;
        session.Execute(
            "INSERT INTO policy_version (version, hash, document, applied_at) "
                + "VALUES ($version, $hash, $document, $now)",
            ("$version", version),
            ("$hash", change.Hash),
            ("$document", JsonSerializer.Serialize(change.Document, CoreJson.Default.PolicyDocument)),
            ("$now", session.NowColumn)
        );
        session.Head = session.Head with { PolicyVersion = version };
        return Applied.Done with { Number = version };
    }

    public static AppliedPolicyRecord? FindNewest(SqliteConnection connection)
    {
        var row = connection.QueryFirstOrDefault<(long Version, string Hash, string Document, long AppliedAt)>(
            "SELECT version, hash, document, applied_at FROM policy_version ORDER BY version DESC LIMIT 1"
        );
        return row.Hash is null
            ? null
            : new(
                row.Version,
                row.Hash,
                JsonSerializer.Deserialize(row.Document, CoreJson.Default.PolicyDocument)!,
                Column.Time(row.AppliedAt)
            );
    }
}
