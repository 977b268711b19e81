namespace CredBroker.Core.Issuing;

/// <summary>What Vault lists under a role path.</summary>
public abstract record LeaseListing
{
    private LeaseListing() { }

    /// <summary>All of its leases.</summary>
    public sealed record Listed(IReadOnlyList<string> VaultLeaseIds) : LeaseListing;

    /// <summary>
    /// The path is not this installation's alone, or has no leases that could be told apart: nothing can be proven from
    /// it.
    /// </summary>
    public sealed record NotOurs : LeaseListing;

    /// <summary>They could not be listed now.</summary>
    public sealed record Failed(string Error) : LeaseListing
    {
        /// <summary>Whether Vault does not permit it to this login.</summary>
        public bool IsForbidden { get; init; }
    }
}
