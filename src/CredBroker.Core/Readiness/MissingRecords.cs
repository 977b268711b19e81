using System.Collections.Concurrent;
using CredBroker.Core.State;

namespace CredBroker.Core.Readiness;

/// <summary>
/// Orders to revoke and holds that count though the store did not take them. They live in this process alone until it
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

    /// <summary>The one of this id, or null: it is recorded, or unknown.</summary>
    public MissingRecord? Find(string id) => _waiting.GetValueOrDefault(id);

    /// <summary>Keeps it; false where there are too many.</summary>
    public bool TryKeep(MissingRecord record) => _waiting.Count < Most && _waiting.TryAdd(record.Id, record);

    /// <summary>It is on record now.</summary>
    public void Recorded(string id) => _waiting.TryRemove(id, out _);
}

/// <summary>What a person ordered without its record: a revocation, a hold, or a quarantine, which is both.</summary>
/// <param name="Change">The change that records it.</param>
/// <param name="Order">The order to revoke, if it is one.</param>
/// <param name="Hold">The hold, if it is one.</param>
public sealed record MissingRecord(StateChange Change, RevocationOrder? Order, Hold? Hold)
{
    private readonly ConcurrentDictionary<string, bool> _dead = new(StringComparer.Ordinal);

    /// <summary>The order's id; of a hold alone its own.</summary>
    public string Id { get; } =
        Order?.Id ?? Hold?.Id ?? throw new ArgumentException("It orders nothing.", nameof(Order));

    /// <summary>Who ordered it.</summary>
    public string OrderedBy => Order?.RequestedBy ?? Hold!.PlacedBy;

    /// <summary>How many of its leases Vault has confirmed gone.</summary>
    public int Dead => _dead.Count;

    /// <summary>Vault has confirmed that the lease's secret is gone.</summary>
    public void Died(string leaseId) => _dead.TryAdd(leaseId, true);

    /// <summary>Whether Vault has.</summary>
    public bool IsDead(string leaseId) => _dead.ContainsKey(leaseId);
}
