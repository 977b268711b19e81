namespace CredBroker.Core.State;

/// <summary>A page of leases; <paramref name="Next"/> continues it, null at the end.</summary>
public sealed record LeasePage(IReadOnlyList<Lease> Leases, string? Next)
{
    /// <summary>Those that the page reaches, and that cannot be read.</summary>
    public IReadOnlyList<UnreadableLease> Unreadable { get; init; } = [];
}
