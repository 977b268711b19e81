using System.Collections.Concurrent;
using CredBroker.Core.State;

namespace CredBroker.Core.Readiness;

/// <summary>
/// Orders to revoke that are carried out though the store did not take them. They live in this process alone until it
/// does. Nothing is issued while there is one: what it reaches is refused by its record, which is missing.
/// </summary>
public sealed class MissingRecords
{
    /// <summary>How many there may be; each is a person's.</summary>
    private const int Most = 100;

    private readonly ConcurrentDictionary<string, MissingRecord> _waiting = new(StringComparer.Ordinal);

    /// <summary>Whether there is one.</summary>
    public bool Any => !_waiting.IsEmpty;

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<MissingRecord> All => [.. _waiting.Values];

    /// <summary>The order's, or null: it is recorded, or unknown.</summary>
    public MissingRecord? Find(string revocationId) => _waiting.GetValueOrDefault(revocationId);

    /// <summary>Keeps it; false where there are too many.</summary>
    public bool TryKeep(MissingRecord record) => _waiting.Count < Most && _waiting.TryAdd(record.Order.Id, record);

    /// <summary>It is on record now.</summary>
    public void Recorded(string revocationId) => _waiting.TryRemove(revocationId, out _);
}

/// <summary>An order without its record.</summary>
/// <param name="Order">The order.</param>
/// <param name="Ordered">The change that records it.</param>
/// <param name="With">What belongs in the same commit: the hold of a quarantine.</param>
public sealed record MissingRecord(
    RevocationOrder Order,
    StateChange.RevocationOrdered Ordered,
    StateChange.HoldPlaced? With = null
)
{
    private readonly ConcurrentDictionary<string, bool> _dead = new(StringComparer.Ordinal);

    /// <summary>How many of its leases Vault has confirmed gone.</summary>
    public int Dead => _dead.Count;

    /// <summary>Vault has confirmed that the lease's secret is gone.</summary>
    public void Died(string leaseId) => _dead.TryAdd(leaseId, true);

    /// <summary>Whether Vault has.</summary>
    public bool IsDead(string leaseId) => _dead.ContainsKey(leaseId);
}
