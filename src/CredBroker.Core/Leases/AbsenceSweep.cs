using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Readiness;
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
    AnchorCheck anchor,
    LeaseOptions options,
    ILogger<AbsenceSweep> logger
)
{
    private const int MaxFailures = 2;

    /// <summary>What Vault's clock and the broker's may differ by.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(2);

    /// <summary>How long a lease that nobody can prove gone waits to be looked at again.</summary>
    private static readonly TimeSpan NotProvable = TimeSpan.FromHours(1);

    /// <summary>
    /// Sweeps once for each credential among the leases, and settles those that it proves. Which of them it could not
    /// put on record: a row that the store refuses keeps no other from its proof. In a store that is behind its anchor none
    /// is: what it does not know is no stray.
    /// </summary>
    public async ValueTask<IReadOnlyCollection<string>> RunAsync(
        IReadOnlyList<Lease> leases,
        CancellationToken cancellationToken
    )
    {
        if (anchor.Refusal is not null)
        {
            return [.. leases.Select(lease => lease.Id)];
        }

        var refused = new List<string>();
        foreach (var group in leases.Where(wait.IsOver).GroupBy(lease => lease.Grant.Entry.Vault))
        {
            await SweepAsync(group.First().Grant.Entry, [.. group], refused, cancellationToken);
        }

        return refused;
    }

    private async ValueTask SweepAsync(
        CatalogueEntry entry,
        IReadOnlyList<Lease> leases,
        List<string> refused,
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
                await FailAllAsync(
                    leases,
                    refused,
                    $"Vault's leases of {entry.Name} cannot be listed: {failed.Error}",
                    null
                );
                return;
            default:
                await SettleAllAsync(leases, refused, lease => SettleUnlistedAsync(entry, lease));
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
                        refused,
                        $"A Vault lease of {entry.Name} cannot be looked up: {failed.Error}",
                        null
                    );
                    return;
            }
        }

        var strays = unknown.Where(IsStray).ToList();
        if (strays.Count > options.StrayLimit)
        {
            // They wait for an admin. A lease whose users its backend has removed does not wait with them, nor does one
            // whose users have ended and that has none among them.
            LogTooMany(logger, entry.Name, options.StrayLimit);
            List<string> strangers = [.. listed.Where(id => !known.Contains(id))];
            await SettleAllAsync(
                leases,
                refused,
                lease => SettleAmongTooManyAsync(entry, lease, strangers, cancellationToken)
            );
            return;
        }

        foreach (var stray in strays)
        {
            if (!await RevokeStrayAsync(entry, stray, cancellationToken))
            {
                await FailAllAsync(leases, refused, $"A stray lease of {entry.Name} could not be revoked.", null);
                return;
            }
        }

        if (unknown.Count > strays.Count)
        {
            // Younger ones may belong to an exchange in flight; later they are known, or strays.
            await FailAllAsync(
                leases,
                refused,
                $"Exchanges of {entry.Name} are in flight; the proof is repeated.",
                options.IssuanceDeadline
            );
            return;
        }

        await ReapAsync(leases, refused, cancellationToken);

        // So old that no exchange can still activate it.
        bool IsStray(VaultLease lease) => lease.IssuedAt < readAt - options.IssuanceDeadline;
    }

    /// <summary>
    /// Vault's list is no proof of what its backend holds: where a mint's caller went away, the backend may have
    /// committed what Vault then failed to register. So the backend is asked, lease by lease; where it cannot be, only
    /// the end of what may have been made is proof. A backend that fails twice is left alone until the next sweep.
    /// </summary>
    private async ValueTask ReapAsync(
        IReadOnlyList<Lease> leases,
        List<string> refused,
        CancellationToken cancellationToken
    )
    {
        var (failures, last) = (0, default(RevokeOutcome.Failed));
        await SettleAllAsync(
            leases,
            refused,
            async lease =>
            {
                if (failures == MaxFailures)
                {
                    await revoker.FailAsync(lease, last! with { IsNotTried = true });
                    return;
                }

                cancellationToken.ThrowIfCancellationRequested();
                switch (await revoker.ReapAsync(lease))
                {
                    case RevokeOutcome.Failed failed:
                        (failures, last) = (failures + 1, failed);
                        await revoker.FailAsync(lease, failed);
                        break;
                    case RevokeOutcome.Unproven when !await revoker.AwaitEndAsync(lease):
                        break;
                    default:
                        await revoker.ConfirmAbsentAsync(lease);
                        break;
                }
            }
        );
    }

    /// <summary>Of a path that is not listed: what may have been made has ended by itself, or nobody knows.</summary>
    private async ValueTask SettleUnlistedAsync(CatalogueEntry entry, Lease lease)
    {
        if (!await revoker.AwaitEndAsync(lease))
        {
            return;
        }

        // Vault lists no token by its lease. One that was made under a parent that is gone has ended by now.
        if (entry.Vault is VaultBinding.Token)
        {
            await revoker.ConfirmAbsentAsync(lease);
            return;
        }

        await revoker.FailAsync(
            lease,
            $"Vault's path of {entry.Name} is not this installation's alone: whether a secret exists is not known.",
            NotProvable
        );
    }

    /// <summary>Of a role with too many strays: they wait for an admin, and what its backend has removed does not.</summary>
    private async ValueTask SettleAmongTooManyAsync(
        CatalogueEntry entry,
        Lease lease,
        IReadOnlyList<string> strangers,
        CancellationToken cancellationToken
    )
    {
        var outcome = await revoker.ReapAsync(lease);
        if (outcome is RevokeOutcome.Unproven && !await revoker.AwaitEndAsync(lease))
        {
            return;
        }

        if (
            outcome is RevokeOutcome.Confirmed
            || (outcome is RevokeOutcome.Unproven && await IsOfNoneAsync(lease, strangers, cancellationToken))
        )
        {
            await revoker.ConfirmAbsentAsync(lease);
            return;
        }

        await revoker.FailAsync(
            lease,
            $"Vault holds more than {options.StrayLimit} leases of {entry.Name} "
                + "that no record knows, more than a sweep removes. Look with: credbroker vault check --orphans"
        );
    }

    /// <summary>
    /// Whether none of these Vault leases can be the lease's own: each is gone, or was issued before it was opened, or
    /// when its token had been revoked for longer than a mint takes.
    /// </summary>
    private async ValueTask<bool> IsOfNoneAsync(
        Lease lease,
        IReadOnlyList<string> strangers,
        CancellationToken cancellationToken
    )
    {
        var (first, last) = (
            lease.OpenedAt - ClockDifference,
            lease.AccessorRevokedAt + options.VaultRequestLimit + ClockDifference
        );
        foreach (var id in strangers)
        {
            switch (await issuer.LookUpLeaseAsync(id, cancellationToken))
            {
                case LeaseLookup.Failed:
                case LeaseLookup.Found { Lease.IssuedAt: var issuedAt } when issuedAt >= first && !(issuedAt > last):
                    return false;
            }
        }

        return true;
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

    private ValueTask FailAllAsync(IReadOnlyList<Lease> leases, List<string> refused, string error, TimeSpan? after) =>
        SettleAllAsync(leases, refused, lease => revoker.FailAsync(lease, error, after));

    /// <summary>Settles each by itself. A store that takes nothing ends it; one that refuses a row does not.</summary>
    private async ValueTask SettleAllAsync(
        IReadOnlyList<Lease> leases,
        List<string> refused,
        Func<Lease, ValueTask> settle
    )
    {
        foreach (var lease in leases)
        {
            try
            {
                await settle(lease);
            }
            catch (Exception fault)
                when (fault is ArgumentException || (fault is StoreUnavailableException && store.Fault is null))
            {
                LogNotSettled(logger, lease.Id, fault);
                refused.Add(lease.Id);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Vault lease {VaultLeaseId} of {Credential} is known to no record; it is revoked."
    )]
    private static partial void LogStray(ILogger logger, string vaultLeaseId, string credential);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "What was found out of lease {LeaseId} could not be put on record; it is tried again."
    )]
    private static partial void LogNotSettled(ILogger logger, string leaseId, Exception fault);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Vault leases of {Credential} are known to no record, more "
            + "than the {Limit} that one sweep removes. An admin has to look."
    )]
    private static partial void LogTooMany(ILogger logger, string credential, int limit);
}
