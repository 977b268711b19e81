using CredBroker.Core.Audit;

namespace CredBroker.Storage.Sqlite;

/// <summary>What the writer carries from change to change.</summary>
/// <param name="Fence">The newest revocation order's number.</param>
/// <param name="PolicyVersion">The newest policy version.</param>
/// <param name="Audit">The newest audit record of this process's stream.</param>
internal readonly record struct StoreHead(long Fence, long PolicyVersion, AuditPosition Audit)
{
    /// <summary>As the tables have it.</summary>
    public static StoreHead Read(WriteSession session, long stream) =>
        new(
            session.ReadFirst("SELECT coalesce(max(fence), 0) FROM revocation_order", row => row.Number(0)),
            session.ReadFirst("SELECT coalesce(max(version), 0) FROM policy_version", row => row.Number(0)),
            SqlAuditStore.ReadHead(session, stream)
        );
}
