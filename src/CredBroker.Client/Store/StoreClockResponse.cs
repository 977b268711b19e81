namespace CredBroker.Client;

/// <summary><c>GET /v1/store/clock</c>: the store's clock, by which everything ends, and the broker's.</summary>
public sealed record StoreClockResponse
{
    /// <summary>
    /// What the store's clock says. It never goes back by itself, and believes no jump forward at once.
    /// </summary>
    public required DateTimeOffset StoreTime { get; init; }

    /// <summary>What the clock of the broker's host says.</summary>
    public required DateTimeOffset BrokerTime { get; init; }

    /// <summary>Whether the two differ so far that nothing is issued.</summary>
    public required bool KeepsFromIssuing { get; init; }
}
