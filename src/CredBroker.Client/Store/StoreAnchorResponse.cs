namespace CredBroker.Client;

/// <summary>
/// <c>GET /v1/store/anchor</c>: how the store stands to its anchor, which says in Vault how far it had come.
/// </summary>
public sealed record StoreAnchorResponse
{
    /// <summary>The store's epoch: one more whenever an admin accepted a store that had gone back; null where it was not compared.</summary>
    public long? Epoch { get; init; }

    /// <summary>The anchor's epoch; null where there is none.</summary>
    public long? AnchorEpoch { get; init; }

    /// <summary>
    /// The audit records that the anchor names and the store does not have, as <c>stream:sequence:hash</c>.
    /// </summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>The epoch as which the store can be accepted; null where it is not behind its anchor.</summary>
    public long? AcceptAs { get; init; }

    /// <summary>Why no anchor is kept; null where one is.</summary>
    public string? NotKept { get; init; }

    /// <summary>Whether nothing is issued, swept or lifted because of it.</summary>
    public required bool KeepsFromIssuing { get; init; }

    /// <summary>
    /// What Vault holds and the store does not know, for each credential of which there is any or nobody can say; null where
    /// the store is not, and was not just now, behind its anchor.
    /// </summary>
    public IReadOnlyList<UnknownSecretsResponse>? Unknown { get; init; }
}
