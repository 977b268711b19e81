using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// Where Vault holds leases of this installation, for those who look for leases that no record knows: the roles of all
/// credentials that are known, and those of which Vault itself tells. Nothing is left out in silence: what Vault does not
/// permit to list, or what cannot be told from others', is said.
/// </summary>
public sealed class StraySearch(ISecretIssuer issuer)
{
    private const int ListsAtOnce = 8;
    private const int MostNames = 20;

    /// <summary>One look at Vault's lists; no lease is looked at.</summary>
    public async ValueTask<StrayPlaces> FindAsync(PastCatalogue catalogue, CancellationToken cancellationToken)
    {
        var known = catalogue.InForce.Concat(catalogue.Past).ToList();
        var roles = await issuer.FindRolesAsync(known, cancellationToken);
        var told = roles as RoleListing.Listed ?? new([], [], []);
        var entries = known.Concat(told.Unnamed).ToList();
        var listings = new LeaseListing[entries.Count];
        await Parallel.ForAsync(
            0,
            entries.Count,
            new ParallelOptions { MaxDegreeOfParallelism = ListsAtOnce, CancellationToken = cancellationToken },
            async (i, stopping) => listings[i] = await issuer.ListLeasesAsync(entries[i], stopping)
        );

        var (places, notSearched, faults) = (new List<StrayPlace>(), new List<NotSearched>(), new List<NotSearched>());
        foreach (var (entry, listing) in entries.Zip(listings))
        {
            switch (listing)
            {
                case LeaseListing.Listed { VaultLeaseIds: var ids }:
                    places.Add(new(entry, ids));
                    break;
                // What is in force has to be listed: setup gives the right.
                case LeaseListing.Failed { IsForbidden: true } when !catalogue.InForce.Contains(entry):
                    notSearched.Add(new(entry.Name, Forbidden($"the role of {entry.Name}")));
                    break;
                case LeaseListing.Failed failed:
                    faults.Add(new(entry.Name, $"Vault's leases of {entry.Name} cannot be listed: {failed.Error}"));
                    break;
                default:
                    notSearched.Add(new(entry.Name, NotTold(entry)));
                    break;
            }
        }

        notSearched.AddRange(told.TokenRoles.Select(role => new NotSearched("", NotTold(role))));
        if (told.Forbidden.Count > 0)
        {
            notSearched.Add(new("", Forbidden($"roles of this installation at {Names(told.Forbidden)}")));
        }

        notSearched.AddRange(catalogue.UnreadableVersions.Select(version => new NotSearched("", Unreadable(version))));
        if (roles is RoleListing.Failed { Error: var error })
        {
            faults.Add(new("", $"Vault's roles of this installation cannot be listed: {error}"));
        }

        return new(places, notSearched, faults);
    }

    private static string NotTold(CatalogueEntry entry) =>
        entry.Vault is VaultBinding.Token token
            ? NotTold(token.Role)
            : $"Not searched: secrets of {entry.Name} that no record of the broker knows. Its role is not this "
                + "installation's alone. An administrator of Vault can look: sys/leases/lookup.";

    private static string NotTold(string tokenRole) =>
        $"Not searched: tokens of the role {tokenRole} that no record of the broker knows cannot be told from others in "
        + "Vault's list. They end by their TTL.";

    private static string Forbidden(string what) =>
        $"Not searched: {what}, which the broker may not list. An administrator of Vault can: sys/leases/lookup. Where the "
        + "policy in force names the mount, credbroker vault setup --apply gives the right.";

    private static string Unreadable(long version) =>
        $"Not searched for certain: credentials of policy version {version}, which this version of the broker does not "
        + "understand. Look at their roles in Vault: sys/leases/lookup.";

    private static string Names(IReadOnlyList<string> places) =>
        string.Join(", ", places.Take(MostNames))
        + (places.Count > MostNames ? $" and {places.Count - MostNames} more" : "");
}

/// <summary>What a search found.</summary>
/// <param name="Places">Each role with all its leases.</param>
/// <param name="NotSearched">What there may be beside, which cannot be listed, or not told from others'.</param>
/// <param name="Faults">What could not be listed now, and has to be.</param>
public sealed record StrayPlaces(
    IReadOnlyList<StrayPlace> Places,
    IReadOnlyList<NotSearched> NotSearched,
    IReadOnlyList<NotSearched> Faults
);

/// <summary>One role with all its leases.</summary>
/// <param name="Entry">The credential.</param>
/// <param name="VaultLeaseIds">What Vault lists of it.</param>
public sealed record StrayPlace(CatalogueEntry Entry, IReadOnlyList<string> VaultLeaseIds);
