using CredBroker.Core.Exchange;
using CredBroker.Core.Policy;

namespace CredBroker.Vault.Check;

/// <summary>Finds, and on request revokes, Vault leases under this installation's roles that no record of the broker knows.</summary>
/// <param name="issuer">Vault, with the broker's login.</param>
/// <param name="known">Which of these Vault lease ids some lease of the broker holds.</param>
/// <param name="time">The clock.</param>
public sealed class OrphanCheck(ISecretIssuer issuer, Func<IReadOnlyCollection<string>, CancellationToken, ValueTask<IReadOnlySet<string>>> known, TimeProvider time)
{
    /// <summary>
    /// The strays of each entry that are older than <paramref name="minimumAge"/> (younger ones may belong to an exchange in flight); null leases where they cannot be listed.
    /// Vault is listed first and the broker's records are read second, so that what is issued in between is never called a stray.
    /// </summary>
    public async ValueTask<IReadOnlyList<OrphanFinding>> FindAsync(IEnumerable<CatalogueEntry> catalogue, TimeSpan minimumAge, CancellationToken cancellationToken)
    {
        var findings = new List<OrphanFinding>();
        foreach (var entry in catalogue.Where(entry => entry.Vault is not VaultBinding.KeyValue).DistinctBy(entry => entry.Vault))
        {
            if (await issuer.ListLeasesAsync(entry, cancellationToken) is not { } listed)
            {
                findings.Add(new(entry.Name, null));
                continue;
            }

            var held = await known([.. listed.Select(lease => lease.VaultLeaseId)], cancellationToken);
            var oldest = time.GetUtcNow() - minimumAge;
            findings.Add(new(entry.Name, [.. listed.Where(lease => lease.IssuedAt < oldest && !held.Contains(lease.VaultLeaseId))]));
        }

        return findings;
    }

    /// <summary>Revokes strays one by one; each with what came of it.</summary>
    public async ValueTask<IReadOnlyList<(VaultLease Lease, RevokeOutcome Outcome)>> RevokeAsync(IEnumerable<OrphanFinding> findings, CancellationToken cancellationToken)
    {
        var outcomes = new List<(VaultLease, RevokeOutcome)>();
        foreach (var lease in findings.SelectMany(finding => finding.Strays ?? []))
        {
            outcomes.Add((lease, await issuer.RevokeStrayAsync(lease.VaultLeaseId, cancellationToken)));
        }

        return outcomes;
    }
}

/// <summary>The strays of one entry; null where its leases cannot be listed.</summary>
public sealed record OrphanFinding(string Credential, IReadOnlyList<VaultLease>? Strays);
