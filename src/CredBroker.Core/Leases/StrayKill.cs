using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Leases;

/// <summary>
/// Revokes what Vault holds under this installation's roles, those of earlier policy versions too, and no live record of
/// the broker knows, for an order that reaches everything and, a few, after a start: where an older copy of the store was
/// put back, the leases that were issued since are such. One by one and with <c>sync</c>, because only that is proof.
/// Vault is listed first and the store is read second. Of what is issued while it runs nothing is touched.
/// </summary>
public sealed partial class StrayKill(
    ISecretIssuer issuer,
    IBrokerStore store,
    PastCredentials credentials,
    RevocationBulkheads bulkheads,
    LeaseOptions options,
    TimeProvider time,
    ILogger<StrayKill> logger
)
{
    /// <summary>What Vault's clock and the broker's may differ by.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(2);

    /// <summary>
    /// One pass over every credential whose leases can be told from others'. Whether none is left but of what
    /// <see cref="NotSearchedAsync"/> says.
    /// </summary>
    /// <param name="orderedAt">When it was ordered: what was issued later is not meant.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<bool> RunAsync(DateTimeOffset orderedAt, CancellationToken cancellationToken)
    {
        var (catalogue, areAll) = (default(PastCatalogue), true);
        try
        {
            catalogue = await credentials.ReadAsync(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            (catalogue, areAll) = (credentials.InForce, false);
        }

        if (catalogue is null)
        {
            // Which roles there are is not known: nothing is proven.
            return false;
        }

        var gone = await Task.WhenAll([
            .. catalogue.InForce.Select(entry => RunAsync(entry, orderedAt, cancellationToken)),
            .. catalogue.Past.Select(async entry =>
                await RunAsync(entry, orderedAt, cancellationToken) || !issuer.CanList(entry, catalogue.InForce)
            ),
        ]);
        return areAll && Array.TrueForAll(gone, isGone => isGone);
    }

    /// <summary>
    /// What an order of everything does not search for secrets that no record knows, or not for certain. Known leases of
    /// it are reached all the same.
    /// </summary>
    public async ValueTask<IReadOnlyList<StillValid>> NotSearchedAsync(CancellationToken cancellationToken)
    {
        if (await credentials.ReadAsync(cancellationToken) is not { } catalogue)
        {
            return [];
        }

        return
        [
            .. catalogue
                .InForce.Concat(catalogue.Past)
                .Where(entry => !issuer.CanList(entry, catalogue.InForce))
                .Select(entry => StillValid.NotSearched(entry)),
            .. catalogue.UnreadableVersions.Select(StillValid.NotSearched),
        ];
    }

    /// <summary>What Vault holds now that no live record knows, for a person to see. Nothing is revoked.</summary>
    public async ValueTask<IReadOnlyList<UnknownSecrets>> FindAsync(CancellationToken cancellationToken)
    {
        var found = new List<UnknownSecrets>();
        if (await credentials.ReadAsync(cancellationToken) is not { } catalogue)
        {
            return found;
        }

        foreach (var entry in catalogue.InForce.Concat(catalogue.Past))
        {
            switch (await issuer.ListLeasesAsync(entry, cancellationToken))
            {
                case LeaseListing.Listed { VaultLeaseIds: var listed }:
                    var known = await store.Leases.FindKnownVaultLeasesAsync(listed, cancellationToken);
                    if (listed.Where(id => !known.Contains(id)).ToList() is { Count: > 0 } unknown)
                    {
                        found.Add(new(entry.Name, unknown, ""));
                    }

                    break;
                case LeaseListing.Failed failed:
                    found.Add(new(entry.Name, null, failed.Error));
                    break;
                case LeaseListing.NotOurs:
                    found.Add(new(entry.Name, null, "its leases cannot be told from others'"));
                    break;
            }
        }

        return found;
    }

    private async Task<bool> RunAsync(
        CatalogueEntry entry,
        DateTimeOffset orderedAt,
        CancellationToken cancellationToken
    )
    {
        switch (await issuer.ListLeasesAsync(entry, cancellationToken))
        {
            case LeaseListing.Failed failed:
                LogNotListed(logger, entry.Name, failed.Error);
                return false;
            case LeaseListing.Listed { VaultLeaseIds: var listed }:
                var known = await KnownAsync(listed, cancellationToken);
                var isGone = true;
                await Parallel.ForEachAsync(
                    listed.Where(id => !known.Contains(id)),
                    new ParallelOptions
                    {
                        MaxDegreeOfParallelism = options.RevocationParallelism,
                        CancellationToken = cancellationToken,
                    },
                    async (id, stopping) =>
                    {
                        if (!await KillAsync(entry, id, orderedAt, stopping))
                        {
                            Volatile.Write(ref isGone, false);
                        }
                    }
                );
                return isGone;
            default:
                return true;
        }
    }

    /// <summary>A store that cannot even be read knows none: then everything is.</summary>
    private async ValueTask<IReadOnlySet<string>> KnownAsync(
        IReadOnlyList<string> listed,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await store.Leases.FindKnownVaultLeasesAsync(listed, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            return new HashSet<string>();
        }
    }

    /// <summary>
    /// What was issued after the order and is not known yet is under way: no longer ago than an issuance takes. The
    /// store's clock alone does not say so, which may be that of a copy from long ago.
    /// </summary>
    private DateTimeOffset Later(DateTimeOffset orderedAt)
    {
        var underWay = time.GetUtcNow() - options.IssuanceDeadline;
        return orderedAt > underWay ? orderedAt : underWay;
    }

    private async ValueTask<bool> KillAsync(
        CatalogueEntry entry,
        string vaultLeaseId,
        DateTimeOffset orderedAt,
        CancellationToken cancellationToken
    )
    {
        switch (await issuer.LookUpLeaseAsync(vaultLeaseId, cancellationToken))
        {
            case LeaseLookup.Gone:
                return true;
            case LeaseLookup.Failed:
                return false;
            case LeaseLookup.Found { Lease.IssuedAt: var issuedAt } when issuedAt > Later(orderedAt) + ClockDifference:
                // Left alone; by clocks that do not agree nobody can say so.
                return (store.Position.UtcNow - time.GetUtcNow()).Duration() <= ClockDifference;
        }

        return await EndAsync(entry, vaultLeaseId, RevocationLane.Emergency, "revocation");
    }

    /// <summary>
    /// What no record knows after a start on an empty or older store: revoked, if it is no more than a sweep removes;
    /// more wait for an admin. Whether nothing is left to look at. What is so young that its exchange may be under way
    /// is left for the next time.
    /// </summary>
    public async ValueTask<bool> RecoverAsync(CancellationToken cancellationToken)
    {
        if (await credentials.ReadAsync(cancellationToken) is not { } catalogue)
        {
            return false;
        }

        var isOver = true;
        foreach (var entry in catalogue.InForce.Concat(catalogue.Past))
        {
            isOver &= await RecoverAsync(entry, cancellationToken) || !issuer.CanList(entry, catalogue.InForce);
        }

        return isOver;
    }

    private async ValueTask<bool> RecoverAsync(CatalogueEntry entry, CancellationToken cancellationToken)
    {
        var listing = await issuer.ListLeasesAsync(entry, cancellationToken);
        if (listing is not LeaseListing.Listed { VaultLeaseIds: var listed })
        {
            return listing is LeaseListing.NotOurs;
        }

        var known = await store.Leases.FindKnownVaultLeasesAsync(listed, cancellationToken);
        var oldest = store.Position.UtcNow - options.IssuanceDeadline;
        var (strays, isOver) = (new List<string>(), true);
        foreach (var id in listed.Where(id => !known.Contains(id)))
        {
            switch (await issuer.LookUpLeaseAsync(id, cancellationToken))
            {
                case LeaseLookup.Found { Lease.IssuedAt: var issuedAt } when issuedAt < oldest:
                    strays.Add(id);
                    break;
                case LeaseLookup.Found or LeaseLookup.Failed:
                    isOver = false;
                    break;
            }

            if (strays.Count > options.StrayLimit)
            {
                LogTooMany(logger, entry.Name, options.StrayLimit);
                return true;
            }
        }

        foreach (var id in strays)
        {
            isOver &= await EndAsync(entry, id, RevocationLane.Retry, "recovery");
        }

        return isOver;
    }

    private async ValueTask<bool> EndAsync(CatalogueEntry entry, string vaultLeaseId, RevocationLane lane, string step)
    {
        using var timeout = new CancellationTokenSource(options.RevocationTimeout, time);
        using var pass = await bulkheads.Of(entry.Backend).EnterAsync((int)lane, timeout.Token);
        if (pass is null)
        {
            return false;
        }

        var outcome = await issuer.RevokeStrayAsync(vaultLeaseId, timeout.Token);
        pass.Say(answered: outcome is not RevokeOutcome.Failed { IsUnanswered: true });
        if (outcome is not RevokeOutcome.Confirmed)
        {
            return false;
        }

        LogStray(logger, vaultLeaseId, entry.Name);
        try
        {
            await store.CommitAsync(
                new StateChange.EventRecorded
                {
                    Event = new()
                    {
                        What = new StrayRevoked { VaultLease = vaultLeaseId },
                        Actor = AuditActor.Broker(step),
                        Credential = entry.Name,
                    },
                },
                CancellationToken.None
            );
        }
        catch (StoreUnavailableException)
        {
            // It is dead all the same, and the log line above says so.
        }

        return true;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Vault lease {VaultLeaseId} of {Credential} was known to no record; it is revoked."
    )]
    private static partial void LogStray(ILogger logger, string vaultLeaseId, string credential);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Vault leases of {Credential} are known to no record, more than the {Limit} that recovery removes. "
            + "An admin has to look: credbroker vault check --orphans"
    )]
    private static partial void LogTooMany(ILogger logger, string credential, int limit);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Vault's leases of {Credential} cannot be listed, so the order is not complete: {Error}"
    )]
    private static partial void LogNotListed(ILogger logger, string credential, string error);
}
