namespace CredBroker.Core.State;

/// <summary>A page of leases; <paramref name="Next"/> continues it, null at the end.</summary>
public sealed record LeasePage(IReadOnlyList<Lease> Leases, string? Next);
