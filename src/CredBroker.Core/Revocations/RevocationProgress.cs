using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocations;

/// <summary>How far an order is.</summary>
/// <param name="Order">The order.</param>
/// <param name="Leases">Leases that it took, newest first, at most 1,000.</param>
/// <param name="Counts">How many leases stand in each state.</param>
/// <param name="StillValid">What may still be accepted.</param>
public sealed record RevocationProgress(
    RevocationOrder Order,
    IReadOnlyList<Lease> Leases,
    IReadOnlyDictionary<LeaseState, int> Counts,
    IReadOnlyList<StillValid> StillValid
);
