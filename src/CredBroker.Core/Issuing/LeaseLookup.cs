using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>What Vault says about one lease.</summary>
public abstract record LeaseLookup
{
    private LeaseLookup() { }

    /// <summary>It is there.</summary>
    public sealed record Found(VaultLease Lease) : LeaseLookup;

    /// <summary>Vault does not know it.</summary>
    public sealed record Gone : LeaseLookup;

    /// <summary>It could not be looked up now.</summary>
    public sealed record Failed(string Error) : LeaseLookup;
}
