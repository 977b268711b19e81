using CredBroker.Core.Policy;

namespace CredBroker.Vault.Check;

/// <summary>
/// What OpenBao cannot bear, and no setting of the broker keeps from it: it revokes by itself what ends, as much at once
/// as ends, and all of that waits in Vault while a database swallows everything. Nothing of it can be looked at, so it is
/// said where it concerns the catalogue.
/// </summary>
internal static class DeadDatabases
{
    public static IEnumerable<CheckFinding> Warnings(IEnumerable<CatalogueEntry> entries)
    {
        var databases = entries.Where(entry => entry.Vault is VaultBinding.Database).ToList();
        if (databases.Count == 0)
        {
            yield break;
        }

        var backends = databases.Select(entry => entry.Backend).Distinct(StringComparer.Ordinal).ToList();
        yield return new(
            true,
            $"databases that may stop answering: {string.Join(", ", backends.Order(StringComparer.Ordinal))}",
            "OpenBao with integrated storage has 64 storage transactions for everything, and revokes by itself each lease "
                + "that ends: at a database that swallows everything each of them keeps one waiting, and with all taken "
                + "no mint, revocation or KV read is answered any more, for anyone. Keep no more than about 30 leases "
                + "alive at each, or make a dead one refuse (a reset, a closed port)."
        );
        if (backends.Count > MintBulkheads.MayDie)
        {
            yield return new(
                true,
                $"{backends.Count} databases in one Vault",
                $"If more than {MintBulkheads.MayDie} of them stop answering at once, the broker begins nothing at the "
                    + "others either until Vault lets go of some of what hangs: else all of Vault would hang with it."
            );
        }

        foreach (
            var mount in databases
                .Where(entry => entry.Connection is null)
                .GroupBy(entry => entry.Backend, StringComparer.Ordinal)
                .Where(mount => mount.Count() > 1)
        )
        {
            yield return new(
                true,
                $"credentials without a connection: {string.Join(", ", mount.Select(entry => entry.Name))}",
                $"The broker takes all that has none at {mount.Key} for one database: if one stops answering, "
                    + "makings and revocations of the others wait, too. Give each its `connection`."
            );
        }
    }
}
