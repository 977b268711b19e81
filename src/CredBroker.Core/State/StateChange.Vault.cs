namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// From now on this cluster of Vault is believed, and this place in it, instead of the one before. Guard: the one
    /// before is <see cref="Expected"/>, at <see cref="ExpectedHome"/>.
    /// </summary>
    public sealed record VaultClusterAccepted : Transition
    {
        /// <summary>The cluster.</summary>
        public required string Cluster { get; init; }

        /// <summary>Where in it.</summary>
        public required VaultHome Home { get; init; }

        /// <summary>The one that is believed until then; null for none.</summary>
        public required string? Expected { get; init; }

        /// <summary>Where in that one; null where it is not on record yet, which changes nothing of what was made there.</summary>
        public required VaultHome? ExpectedHome { get; init; }
    }
}
