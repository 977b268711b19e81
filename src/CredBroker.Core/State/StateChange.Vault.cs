namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// From now on this cluster of Vault is believed, in place of the one before. Guard: the one before is
    /// <see cref="Expected"/>.
    /// </summary>
    public sealed record VaultClusterAccepted : Transition
    {
        /// <summary>The cluster.</summary>
        public required string Cluster { get; init; }

        /// <summary>The one that is believed until then; null for none.</summary>
        public required string? Expected { get; init; }
    }
}
