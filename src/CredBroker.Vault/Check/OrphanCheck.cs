using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;

namespace CredBroker.Vault.Check;

/// <summary>
/// Finds, and on request revokes, Vault leases under this installation's roles that no record of the broker knows.
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
    /// exchange in flight); null leases where they cannot be listed. Vault is listed first and the broker's records are
    /// read second, so that what is issued in between is never called a stray.
    /// </summary>
    public async ValueTask<IReadOnlyList<OrphanFinding>> FindAsync(
        IEnumerable<CatalogueEntry> catalogue,
        TimeSpan minimumAge,
        CancellationToken cancellationToken
    )
    {
        var findings = new List<OrphanFinding>();
        foreach (
            var entry in catalogue
                .Where(entry => entry.Vault is not VaultBinding.KeyValue)
                .DistinctBy(entry => entry.Vault)
        )
        {
            findings.Add(await FindAsync(entry, minimumAge, cancellationToken));
        }

        return findings;
    }

    private async ValueTask<OrphanFinding> FindAsync(
        CatalogueEntry entry,
        TimeSpan minimumAge,
        CancellationToken cancellationToken
    )
    {
        var listing = await issuer.ListLeasesAsync(entry, cancellationToken);
        if (listing is not LeaseListing.Listed { VaultLeaseIds: var ids })
        {
            return new(
                entry.Name,
                null,
                listing is LeaseListing.Failed failed ? failed.Error : "its leases cannot be told from others'"
            );
        }

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
                    return new(entry.Name, null, failed.Error);
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
/// The strays of one entry; null where its leases cannot be listed, and <paramref name="Why"/> says why.
/// </summary>
public sealed record OrphanFinding(string Credential, IReadOnlyList<VaultLease>? Strays, string Why = "");
