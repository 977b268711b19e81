using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Leases;

/// <summary>
/// Proves that a lease whose issuance was cut short has no secret. Such a lease has no Vault lease id to revoke, and
/// revoking its accessor does not stop a mint that is under way. So Vault's leases under the credential's own role are
/// listed, no earlier than Vault's longest request time after the accessor's revocation; one that no record knows and
/// that is older than the issuance deadline is a stray, and is revoked. Vault is listed first and the store is read
/// second: the other way round, what is issued in between would look like a stray. At last the backend itself is asked,
/// as Vault may know nothing of what it holds.
/// </summary>
public sealed partial class AbsenceSweep(
    ISecretIssuer issuer,
    IBrokerStore store,
    LeaseRevoker revoker,
    AbsenceWait wait,
    LeaseOptions options,
    ILogger<AbsenceSweep> logger
)
{
    private const int MaxFailures = 2;

    /// <summary>How long a lease that nobody can prove gone waits to be looked at again.</summary>
    private static readonly TimeSpan NotProvable = TimeSpan.FromHours(1);

    /// <summary>Sweeps once for each credential among the leases, and settles those that it proves.</summary>
    public async ValueTask RunAsync(IReadOnlyList<Lease> leases, CancellationToken cancellationToken)
    {
        foreach (var group in leases.Where(wait.IsOver).GroupBy(lease => lease.Grant.Entry.Vault))
        {
            await SweepAsync(group.First().Grant.Entry, [.. group], cancellationToken);
        }
    }

    private async ValueTask SweepAsync(
        CatalogueEntry entry,
        IReadOnlyList<Lease> leases,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<string> listed;
        switch (await issuer.ListLeasesAsync(entry, cancellationToken))
        {
            case LeaseListing.Listed { VaultLeaseIds: var ids }:
                listed = ids;
                break;
            case LeaseListing.Failed failed:
                await FailAllAsync(leases, $"Vault's leases of {entry.Name} cannot be listed: {failed.Error}", null);
                return;
            default:
                foreach (var lease in leases)
                {
                    if (!await revoker.AwaitEndAsync(lease))
                    {
                        continue;
                    }

                    // Vault lists no token by its lease. One that was made under a parent that is gone has ended by now.
                    if (entry.Vault is VaultBinding.Token)
                    {
                        await revoker.ConfirmAbsentAsync(lease);
                    }
                    else
                    {
                        await revoker.FailAsync(
                            lease,
                            $"Vault's path of {entry.Name} is not this installation's alone: "
                                + "whether a secret exists is not known.",
                            NotProvable
                        );
                    }
                }

                return;
        }

        var known = await store.Leases.FindKnownVaultLeasesAsync(listed, cancellationToken);
        var readAt = wait.Now;
        var unknown = new List<VaultLease>();
        foreach (var id in listed.Where(id => !known.Contains(id)))
        {
            if (unknown.Count(IsStray) > options.StrayLimit)
            {
                break;
            }

            switch (await issuer.LookUpLeaseAsync(id, cancellationToken))
            {
                case LeaseLookup.Found { Lease: var lease }:
                    unknown.Add(lease);
                    break;
                case LeaseLookup.Failed failed:
                    await FailAllAsync(
                        leases,
                        $"A Vault lease of {entry.Name} cannot be looked up: {failed.Error}",
                        null
                    );
                    return;
            }
        }

        var strays = unknown.Where(IsStray).ToList();
        if (strays.Count > options.StrayLimit)
        {
            // They wait for an admin. A lease whose users its backend has removed does not wait with them.
            LogTooMany(logger, entry.Name, options.StrayLimit);
            foreach (var lease in leases)
            {
                if (await revoker.ReapAsync(lease) is RevokeOutcome.Confirmed)
                {
                    await revoker.ConfirmAbsentAsync(lease);
                    continue;
                }

                await revoker.FailAsync(
                    lease,
                    $"Vault holds more than {options.StrayLimit} leases of {entry.Name} "
                        + "that no record knows, more than a sweep removes. Look with: credbroker vault check --orphans"
                );
            }

            return;
        }

        foreach (var stray in strays)
        {
            if (!await RevokeStrayAsync(entry, stray, cancellationToken))
            {
                await FailAllAsync(leases, $"A stray lease of {entry.Name} could not be revoked.", null);
                return;
            }
        }

        if (unknown.Count > strays.Count)
        {
            // Younger ones may belong to an exchange in flight; later they are known, or strays.
            await FailAllAsync(
                leases,
                $"Exchanges of {entry.Name} are in flight; the proof is repeated.",
                options.IssuanceDeadline
            );
            return;
        }

        await ReapAsync(leases, cancellationToken);

        // So old that no exchange can still activate it.
        bool IsStray(VaultLease lease) => lease.IssuedAt < readAt - options.IssuanceDeadline;
    }

    /// <summary>
    /// Vault's list is no proof of what its backend holds: where a mint's caller went away, the backend may have
    /// committed what Vault then failed to register. So the backend is asked, lease by lease; where it cannot be, only
    /// the end of what may have been made is proof. A backend that fails twice is left alone until the next sweep.
    /// </summary>
    private async ValueTask ReapAsync(IReadOnlyList<Lease> leases, CancellationToken cancellationToken)
    {
        var failures = 0;
        for (var i = 0; i < leases.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (await revoker.ReapAsync(leases[i]))
            {
                case RevokeOutcome.Failed failed when ++failures < MaxFailures:
                    await revoker.FailAsync(leases[i], failed);
                    break;
                case RevokeOutcome.Failed failed:
                    await revoker.FailAsync(leases[i], failed);
                    foreach (var lease in leases.Skip(i + 1))
                    {
                        await revoker.FailAsync(lease, failed with { IsNotTried = true });
                    }

                    return;
                case RevokeOutcome.Unproven when !await revoker.AwaitEndAsync(leases[i]):
                    break;
                default:
                    await revoker.ConfirmAbsentAsync(leases[i]);
                    break;
            }
        }
    }

    private async ValueTask<bool> RevokeStrayAsync(
        CatalogueEntry entry,
        VaultLease stray,
        CancellationToken cancellationToken
    )
    {
        LogStray(logger, stray.VaultLeaseId, entry.Name);
        if (await issuer.RevokeStrayAsync(stray.VaultLeaseId, cancellationToken) is not RevokeOutcome.Confirmed)
        {
            return false;
        }

        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    What = new StrayRevoked { VaultLease = stray.VaultLeaseId },
                    Actor = AuditActor.Broker("absence-sweep"),
                    Credential = entry.Name,
                },
            },
            cancellationToken
        );
        return true;
    }

    private async ValueTask FailAllAsync(IReadOnlyList<Lease> leases, string error, TimeSpan? after)
    {
        foreach (var lease in leases)
        {
            await revoker.FailAsync(lease, error, after);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Vault lease {VaultLeaseId} of {Credential} is known to no record; it is revoked."
    )]
    private static partial void LogStray(ILogger logger, string vaultLeaseId, string credential);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Vault leases of {Credential} are known to no record, more "
            + "than the {Limit} that one sweep removes. An admin has to look."
    )]
    private static partial void LogTooMany(ILogger logger, string credential, int limit);
}
