using CredBroker.Core.Audit;
using CredBroker.Core.Exchange;

namespace CredBroker.Core.Leases;

/// <summary>Admins' revocations: ordered (the fence), enumerated, carried out, and shown until every lease is confirmed.</summary>
public sealed class Revocations
{
    /// <summary>Commits the order and starts carrying it out.</summary>
    public ValueTask<RevocationOrder> OrderAsync(LeaseSelector selector, string reason, AuditActor person, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>What an order would reach now; records that it was asked.</summary>
    public ValueTask<IReadOnlyList<Lease>> DryRunAsync(LeaseSelector selector, string reason, AuditActor person, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>How far an order is, per lease, or null for an unknown id.</summary>
    public ValueTask<RevocationProgress?> FindAsync(string revocationId, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>An admin closes a task.</summary>
    public ValueTask<Refusal?> CloseTaskAsync(string process, string taskId, AuditActor person, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}

/// <summary>How far an order is.</summary>
/// <param name="Order">The order.</param>
/// <param name="Leases">Every lease that it took, at most 1,000 of them.</param>
/// <param name="Counts">How many leases stand in each state.</param>
/// <param name="StillValid">What may still be accepted.</param>
public sealed record RevocationProgress(
    RevocationOrder Order, IReadOnlyList<Lease> Leases, IReadOnlyDictionary<LeaseState, int> Counts, IReadOnlyList<StillValid> StillValid);
