namespace CredBroker.Core.State;

/// <summary>Reads which cluster of Vault the store's secrets are in.</summary>
public interface IVaultClusterReader
{
    /// <summary>The accepted cluster, or null before the first contact.</summary>
    ValueTask<AcceptedCluster?> FindAsync(CancellationToken cancellationToken);
}

/// <summary>The cluster of Vault that is believed.</summary>
/// <param name="Id">What Vault calls it.</param>
/// <param name="ChangedAt">When it took another one's place; null for the first.</param>
public sealed record AcceptedCluster(string Id, DateTimeOffset? ChangedAt);
