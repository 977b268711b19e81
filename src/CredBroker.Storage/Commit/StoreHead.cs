using CredBroker.Core.Audit;

namespace CredBroker.Storage.Commit;

/// <summary>
/// The newest fence, policy version and audit record, which the writer carries from change to change.
/// </summary>
/// <param name="Fence">The newest revocation order's number.</param>
/// <param name="PolicyVersion">The newest policy version.</param>
/// <param name="Audit">The newest audit record of this process's stream.</param>
internal readonly record struct StoreHead(long Fence, long PolicyVersion, AuditPosition Audit);
