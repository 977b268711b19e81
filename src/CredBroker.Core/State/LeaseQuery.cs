namespace CredBroker.Core.State;

/// <summary>Which leases to list. All that is set must hold.</summary>
public sealed record LeaseQuery
{
    /// <summary>Fields that must be equal; an empty selector selects all.</summary>
    public LeaseSelector Selector { get; init; } = new();

    /// <summary>States wanted; empty means every state.</summary>
    public IReadOnlyList<LeaseState> States { get; init; } = [];

    /// <summary>Leases that this revocation order reached, whoever took them first.</summary>
    public string? RevocationId { get; init; }

    /// <summary>How the id begins; null where that is all the same.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>Continue after this lease id (exclusive).</summary>
    public string? After { get; init; }

    /// <summary>No further than this lease id (inclusive); null: to the oldest.</summary>
    public string? Until { get; init; }

    /// <summary>At most this many, 1 to 1,000.</summary>
    public int Limit { get; init; } = 100;
}
