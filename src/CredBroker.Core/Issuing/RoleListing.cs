using CredBroker.Core.Policy;

namespace CredBroker.Core.Issuing;

/// <summary>Roles of this installation that Vault has leases of and no known entry names.</summary>
public abstract record RoleListing
{
    private RoleListing() { }

    /// <summary>Vault has told all that it may tell this login.</summary>
    /// <param name="Unnamed">Those whose leases can be listed and revoked, each as an entry of its own.</param>
    /// <param name="TokenRoles">Token roles, whose tokens cannot be told from others'.</param>
    /// <param name="Forbidden">Places in Vault that this login may not list: there may be more.</param>
    public sealed record Listed(
        IReadOnlyList<CatalogueEntry> Unnamed,
        IReadOnlyList<string> TokenRoles,
        IReadOnlyList<string> Forbidden
    ) : RoleListing;

    /// <summary>They could not be listed now.</summary>
    public sealed record Failed(string Error) : RoleListing;
}
