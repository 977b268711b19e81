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
/// <param name="Home">Where in it the store's secrets are; null where an older version recorded it.</param>
public sealed record AcceptedCluster(string Id, DateTimeOffset? ChangedAt, VaultHome? Home);

/// <summary>Where in Vault a store's secrets are: all brokers on the store use the same.</summary>
/// <param name="Installation">The setting <c>Vault:Installation</c>.</param>
/// <param name="Namespace">The setting <c>Vault:Namespace</c>; empty for none.</param>
public sealed record VaultHome(string Installation, string Namespace);
