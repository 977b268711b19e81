using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;

namespace CredBroker.Vault.Check;

/// <summary>
/// Finds, and on request revokes, Vault leases under this installation's roles that no record of the broker knows. It
/// searches where an order of everything does (<see cref="StraySearch"/>).
/// </summary>
/// <param name="issuer">Vault, with the broker's login.</param>
/// <param name="known">Which of these Vault lease ids some lease of the broker holds.</param>
/// <param name="time">The clock.</param>
public sealed class OrphanCheck(
    ISecretIssuer issuer,
    Func<IReadOnlyCollection<string>, CancellationToken, ValueTask<IReadOnlySet<string>>> known,
    TimeProvider time
)
{
    /// <summary>
    /// The strays of each entry that are older than <paramref name="minimumAge"/> (younger ones may belong to an
    /// exchange in flight), those that Vault alone tells of included; null leases where they cannot be listed. Vault is
    /// listed first and the broker's records are read second, so that what is issued in between is never called a
    /// stray.
    /// </summary>
    public async ValueTask<IReadOnlyList<OrphanFinding>> FindAsync(
        IEnumerable<CatalogueEntry> catalogue,
        TimeSpan minimumAge,
        CancellationToken cancellationToken
    )
    {
        var found = await new StraySearch(issuer).FindAsync(PastCatalogue.Of(catalogue), cancellationToken);
        var findings = new List<OrphanFinding>();
        foreach (var (entry, ids) in found.Places)
        {
            findings.Add(await FindAsync(entry, ids, minimumAge, cancellationToken));
        }

        return
        [
            .. findings,
            .. found
                .Faults.Concat(found.NotSearched)
                .Select(place => new OrphanFinding(place.Credential, null, place.Why)),
        ];
    }

    private async ValueTask<OrphanFinding> FindAsync(
        CatalogueEntry entry,
        IReadOnlyList<string> ids,
        TimeSpan minimumAge,
        CancellationToken cancellationToken
    )
    {
        var held = await known(ids, cancellationToken);
        var oldest = time.GetUtcNow() - minimumAge;
        var strays = new List<VaultLease>();
        foreach (var id in ids.Where(id => !held.Contains(id)))
        {
            switch (await issuer.LookUpLeaseAsync(id, cancellationToken))
            {
                case LeaseLookup.Found { Lease: var lease } when lease.IssuedAt < oldest:
                    strays.Add(lease);
                    break;
                case LeaseLookup.Failed failed:
                    return new(entry.Name, null, $"Not searched: {entry.Name}: {failed.Error}");
            }
        }

        return new(entry.Name, strays);
    }

    /// <summary>Revokes strays one by one; each with what came of it.</summary>
    public async ValueTask<IReadOnlyList<(VaultLease Lease, RevokeOutcome Outcome)>> RevokeAsync(
        IEnumerable<OrphanFinding> findings,
        CancellationToken cancellationToken
    )
    {
        var outcomes = new List<(VaultLease, RevokeOutcome)>();
        foreach (var lease in findings.SelectMany(finding => finding.Strays ?? []))
        {
            outcomes.Add((lease, await issuer.RevokeStrayAsync(lease.VaultLeaseId, cancellationToken)));
        }

        return outcomes;
    }
}

/// <summary>
/// The strays of one entry; null where leases cannot be listed, and <paramref name="Why"/> says which and why.
/// </summary>
public sealed record OrphanFinding(string Credential, IReadOnlyList<VaultLease>? Strays, string Why = "");
