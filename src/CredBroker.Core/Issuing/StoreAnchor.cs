using CredBroker.Core.Audit;

namespace CredBroker.Core.Issuing;

/// <summary>
/// How far the store had come, kept outside of it: a store that does not have this any more was put back, or lost its last
/// commits. It is only ever written of what is committed.
/// </summary>
/// <param name="Epoch">The store's epoch. It rises when an admin accepts a store that had gone back.</param>
/// <param name="Serial">Counts what was written here: one that is lower than the store remembers is an older copy.</param>
/// <param name="Heads">The newest records of the audit log's newest streams.</param>
public sealed record StoreAnchor(long Epoch, long Serial, IReadOnlyList<AuditPosition> Heads);
