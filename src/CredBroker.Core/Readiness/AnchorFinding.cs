using CredBroker.Core.Audit;

namespace CredBroker.Core.Readiness;

/// <summary>What came of comparing the store with its anchor.</summary>
/// <param name="Opening">Of which opening of the store it says anything.</param>
/// <param name="Epoch">The store's epoch.</param>
public sealed record AnchorFinding(long Opening, long Epoch)
{
    /// <summary>The anchor's epoch; null where there is none.</summary>
    public long? AnchorEpoch { get; init; }

    /// <summary>The records that the anchor names and the store does not have.</summary>
    public IReadOnlyList<AuditPosition> Missing { get; init; } = [];

    /// <summary>Whether the store is older than its anchor.</summary>
    public bool IsStoreBehind { get; init; }

    /// <summary>Why there is no anchor, though issuing goes on, for operators; null where there is one.</summary>
    public string? NotKept { get; init; }

    /// <summary>The epoch as which a store that is behind can be accepted.</summary>
    public long NextEpoch => Math.Max(Epoch, AnchorEpoch ?? 0) + 1;
}
