namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/vault/cluster/accept</c>: the cluster of Vault that answers is the right one, and is believed from now on.
/// </summary>
public sealed record AcceptVaultClusterRequest
{
    /// <summary>The cluster that is accepted; it must be the one that answers.</summary>
    public required string Cluster { get; init; }

    /// <summary>Why; stands in the audit log.</summary>
    public required string Reason { get; init; }
}
