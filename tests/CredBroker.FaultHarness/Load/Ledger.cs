using System.Collections.Concurrent;

namespace CredBroker.FaultHarness.Load;

/// <summary>A secret as an agent got it.</summary>
internal sealed record Issued
{
    public required string LeaseId { get; init; }

    public required string Instance { get; init; }

    public required string TaskId { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The database user and its password; null where the secret is a token.</summary>
    public (string User, string Password)? Login { get; init; }

    public string? Token { get; init; }
}

/// <summary>What the agents hold, and of which leases the broker has told somebody that they are revoked.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, Issued> _issued = new();
    private readonly ConcurrentDictionary<string, string> _told = new();

    public IReadOnlyCollection<Issued> Issued => [.. _issued.Values];

    /// <summary>By lease: who was told, and what.</summary>
    public IReadOnlyDictionary<string, string> Told => _told;

    public void Add(Issued issued) => _issued[issued.LeaseId] = issued;

    public void Tell(string leaseId, string what) => _told.TryAdd(leaseId, what);
}
