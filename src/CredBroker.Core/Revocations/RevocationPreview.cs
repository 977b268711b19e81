using CredBroker.Core.Leases;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>What an order would come to now.</summary>
/// <param name="Reached">The leases that it would reach, at most 1,000.</param>
/// <param name="StillValid">What might still be accepted afterwards.</param>
public sealed record RevocationPreview(LeasePage Reached, IReadOnlyList<StillValid> StillValid);
