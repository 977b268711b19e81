using CredBroker.Core.Leases;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>How far an order is.</summary>
/// <param name="Order">The order.</param>
/// <param name="Leases">Leases that it reached, newest first, at most 1,000.</param>
/// <param name="Counts">How many leases stand in each state.</param>
/// <param name="StillValid">What may still be accepted of all that it reached.</param>
public sealed record RevocationProgress(
    RevocationOrder Order,
    IReadOnlyList<Lease> Leases,
    IReadOnlyDictionary<LeaseState, int> Counts,
    IReadOnlyList<StillValid> StillValid
)
{
    /// <summary>Those that it reached, and whose record is damaged; at most 1,000. They are counted as all others.</summary>
    public IReadOnlyList<UnreadableLease> Unreadable { get; init; } = [];

    /// <summary>
    /// For an order whose record is missing: how many leases Vault has confirmed gone, of which the store cannot say so.
    /// Null for every other.
    /// </summary>
    public int? DeadAtVault { get; init; }
}
