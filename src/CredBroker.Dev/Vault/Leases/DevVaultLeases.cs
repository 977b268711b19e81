using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Leases;

/// <summary>All that ends, by id and by time.</summary>
internal sealed class DevVaultLeases
{
    private readonly Dictionary<string, DevVaultLease> _leases = new(StringComparer.Ordinal);
    private readonly PriorityQueue<DevVaultLease, DateTimeOffset> _queue = new();

    /// <summary>The ids of everything alive.</summary>
    public IEnumerable<string> Ids => _leases.Keys;

    public void Add(DevVaultLease lease)
    {
        DevVaultBounds.Check(_leases.Count, DevVaultBounds.Leases, "leases");
        _leases.Add(lease.Id, lease);
        lease.Owner?.Leases.Add(lease);
        Enqueue(lease);
    }

    public DevVaultLease? Find(string id) => _leases.GetValueOrDefault(id);

    /// <summary>Gives a lease another end.</summary>
    public void Move(DevVaultLease lease, DateTimeOffset endsAt, DateTimeOffset now)
    {
        lease.EndsAt = endsAt;
        lease.RenewedAt = now;
        Enqueue(lease);
    }

    /// <summary>Ends a lease, once.</summary>
    public void End(DevVaultLease lease, DateTimeOffset at)
    {
        if (_leases.Remove(lease.Id))
        {
            lease.Owner?.Leases.Remove(lease);
            lease.End(at);
        }
    }

    /// <summary>Ends everything whose id begins with <paramref name="prefix"/>.</summary>
    public void EndBelow(string prefix, DateTimeOffset at)
    {
        foreach (
            var lease in _leases.Values.Where(lease => lease.Id.StartsWith(prefix, StringComparison.Ordinal)).ToList()
        )
        {
            End(lease, at);
        }
    }

    /// <summary>
    /// Ends what is due, each at its own time. Called before every request: nobody can see DevVault but through a
    /// request, so this is as exact as a timer and needs none. An entry of the queue whose lease was moved or has ended
    /// since is stale and skipped.
    /// </summary>
    public void Expire(DateTimeOffset now)
    {
        while (_queue.TryPeek(out var lease, out var due) && due <= now)
        {
            _queue.Dequeue();
            if (lease.EndsAt == due)
            {
                End(lease, due);
            }
        }
    }

    /// <summary>
    /// Entries of leases that were moved or ended early stay until they are due; when they are the most of the queue,
    /// it is made anew.
    /// </summary>
    private void Enqueue(DevVaultLease lease)
    {
        _queue.Enqueue(lease, lease.EndsAt);
        if (_queue.Count > (2 * _leases.Count) + 1024)
        {
            _queue.Clear();
            _queue.EnqueueRange(_leases.Values.Select(alive => (alive, alive.EndsAt)));
        }
    }
}
