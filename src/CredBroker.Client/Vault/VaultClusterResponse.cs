namespace CredBroker.Client;

/// <summary><c>GET /v1/vault/cluster</c>: the cluster of Vault that is believed, and the one that answers.</summary>
public sealed record VaultClusterResponse
{
    /// <summary>The cluster that the broker's secrets are in; null before the first contact.</summary>
    public string? Accepted { get; init; }

    /// <summary>
    /// Whose names they have there, as the setting <c>Vault:Installation</c> of the broker that was the first to meet it
    /// said; null where that is not on record.
    /// </summary>
    public string? AcceptedInstallation { get; init; }

    /// <summary>The namespace that they are in; empty for none, null where that is not on record.</summary>
    public string? AcceptedNamespace { get; init; }

    /// <summary>This broker's own <c>Vault:Installation</c>.</summary>
    public string? Installation { get; init; }

    /// <summary>This broker's own <c>Vault:Namespace</c>; empty for none.</summary>
    public string? Namespace { get; init; }

    /// <summary>When it took another one's place; null for the first.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>The cluster that answered last; null before one has, empty where it does not say.</summary>
    public string? Answering { get; init; }

    /// <summary>
    /// Whether the cluster that is believed is older than it was: it does not hold what the broker wrote there last.
    /// </summary>
    public bool WentBack { get; init; }

    /// <summary>
    /// Whether nothing is issued, and no revocation confirmed, because the two differ, this broker is set to
    /// another place in it, or it went back.
    /// </summary>
    public required bool KeepsFromIssuing { get; init; }
}
