using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Leases;

/// <summary>
/// Revokes what Vault holds under this installation's roles (<see cref="StraySearch"/>) and no live record of the
/// broker knows, for an order that reaches everything and, a few, after a start: where an older copy of the store was
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

    private readonly StraySearch _search = new(issuer);
    private volatile IReadOnlyList<NotSearched> _notSearched = [];

    /// <summary>
    /// What the newest pass of an order of everything has not searched. Known leases of it are reached all the same.
    /// </summary>
    public IReadOnlyList<NotSearched> NotSearched => _notSearched;

    /// <summary>
    /// One pass over every role of this installation. Whether none is left but of what it has not searched, which it
    /// says.
    /// </summary>
    /// <param name="orderedAt">When it was ordered: what was issued later is not meant.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<StrayOutcome> RunAsync(DateTimeOffset orderedAt, CancellationToken cancellationToken)
    {
        var found = await SearchAsync(cancellationToken);
        _notSearched = found.NotSearched;
        foreach (var fault in found.Faults)
        {
            LogNotListed(logger, fault.Why);
        }

        var known = await KnownAsync(found.Places, cancellationToken);
        var gone = await Task.WhenAll(
            found.Places.Select(place => RunAsync(place, known, orderedAt, cancellationToken))
        );
        return new(found.Faults.Count == 0 && Array.TrueForAll(gone, isGone => isGone), found.NotSearched);
    }

    /// <summary>What an order of everything would not search now.</summary>
    public async ValueTask<IReadOnlyList<NotSearched>> PreviewAsync(CancellationToken cancellationToken)
    {
        var found = await SearchAsync(cancellationToken);
        return [.. found.NotSearched, .. found.Faults];
    }

    private async ValueTask<StrayPlaces> SearchAsync(CancellationToken cancellationToken)
    {
        var (catalogue, fault) = (default(PastCatalogue), default(NotSearched));
        try
        {
            catalogue = await credentials.ReadAsync(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            catalogue = credentials.InForce;
            fault = new("", "The store does not say which credentials earlier policy versions had.");
        }

        if (catalogue is null)
        {
            // Which roles are known is not known: nothing is proven.
            return new([], [], [new("", "No policy is in force, so it is not known which roles to search.")]);
        }

        var found = await _search.FindAsync(catalogue, cancellationToken);
        return fault is null ? found : found with { Faults = [.. found.Faults, fault] };
    }

    private async Task<bool> RunAsync(
        StrayPlace place,
        IReadOnlySet<string> known,
        DateTimeOffset orderedAt,
        CancellationToken cancellationToken
    )
    {
        string? alive = null;
        await Parallel.ForEachAsync(
            place.VaultLeaseIds.Where(id => !known.Contains(id)),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = options.RevocationParallelism,
                CancellationToken = cancellationToken,
            },
            async (id, stopping) =>
            {
                if (await KillAsync(place.Entry, id, orderedAt, stopping) is { } why)
                {
                    Volatile.Write(ref alive, why);
                }
            }
        );
        if (alive is not null)
        {
            LogAlive(logger, place.Entry.Name, alive);
        }

        return alive is null;
    }

    /// <summary>
    /// What Vault holds now that no live record knows, for a person to see, and where nobody can say. Nothing is revoked.
    /// </summary>
    public async ValueTask<IReadOnlyList<UnknownSecrets>> FindAsync(CancellationToken cancellationToken)
    {
        var (found, unknown) = (await SearchAsync(cancellationToken), new List<UnknownSecrets>());
        var known = await store.Leases.FindKnownVaultLeasesAsync(AllOf(found.Places), cancellationToken);
        foreach (var place in found.Places)
        {
            if (place.VaultLeaseIds.Where(id => !known.Contains(id)).ToList() is { Count: > 0 } strangers)
            {
                unknown.Add(new(place.Entry.Name, strangers, ""));
            }
        }

        return
        [
            .. unknown,
            .. found
                .Faults.Concat(found.NotSearched)
                .Select(place => new UnknownSecrets(place.Credential, null, place.Why)),
        ];
    }

    /// <summary>A store that cannot even be read knows none: then everything is.</summary>
    private async ValueTask<IReadOnlySet<string>> KnownAsync(
        IReadOnlyList<StrayPlace> places,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await store.Leases.FindKnownVaultLeasesAsync(AllOf(places), cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            return new HashSet<string>();
        }
    }

    /// <summary>Asked for together: the store goes through all that is not over for each question.</summary>
    private static List<string> AllOf(IReadOnlyList<StrayPlace> places) =>
        [.. places.SelectMany(place => place.VaultLeaseIds)];

    /// <summary>
    /// What was issued after the order and is not known yet is under way: no longer ago than an issuance takes. The
    /// store's clock alone does not say so, which may be that of a copy from long ago.
    /// </summary>
    private DateTimeOffset Later(DateTimeOffset orderedAt)
    {
        var underWay = time.GetUtcNow() - options.IssuanceDeadline;
        return orderedAt > underWay ? orderedAt : underWay;
    }

    /// <summary>Null once it is gone, or why that is not known.</summary>
    private async ValueTask<string?> KillAsync(
        CatalogueEntry entry,
        string vaultLeaseId,
        DateTimeOffset orderedAt,
        CancellationToken cancellationToken
    )
    {
        switch (await issuer.LookUpLeaseAsync(vaultLeaseId, cancellationToken))
        {
            case LeaseLookup.Gone:
                return null;
            case LeaseLookup.Failed failed:
                return failed.Error;
            case LeaseLookup.Found { Lease.IssuedAt: var issuedAt } when issuedAt > Later(orderedAt) + ClockDifference:
                // Left alone; by clocks that do not agree nobody can say so.
                return (store.Position.UtcNow - time.GetUtcNow()).Duration() <= ClockDifference
                    ? null
                    : "the store's clock and the host's do not agree";
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

        var found = await _search.FindAsync(catalogue, cancellationToken);
        var isOver = found.Faults.Count == 0;
        foreach (var place in found.Places)
        {
            isOver &= await RecoverAsync(place, cancellationToken);
        }

        return isOver;
    }

    private async ValueTask<bool> RecoverAsync(StrayPlace place, CancellationToken cancellationToken)
    {
        var (entry, listed) = place;
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
            isOver &= await EndAsync(entry, id, RevocationLane.Retry, "recovery") is null;
        }

        return isOver;
    }

    private async ValueTask<string?> EndAsync(
        CatalogueEntry entry,
        string vaultLeaseId,
        RevocationLane lane,
        string step
    )
    {
        using var timeout = new CancellationTokenSource(options.RevocationTimeout, time);
        using var pass = await bulkheads.Of(entry.Backend).EnterAsync((int)lane, timeout.Token);
        if (pass is null)
        {
            return "its backend does not answer";
        }

        var outcome = await issuer.RevokeStrayAsync(vaultLeaseId, timeout.Token);
        pass.Say(answered: outcome is not RevokeOutcome.Failed { IsUnanswered: true });
        if (outcome is not RevokeOutcome.Confirmed)
        {
            return (outcome as RevokeOutcome.Failed)?.Error ?? "it is not proven";
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

        return null;
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
        Message = "Vault leases of {Credential} that no record knows are not gone, so the order is not complete: {Why}"
    )]
    private static partial void LogAlive(ILogger logger, string credential, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The order of everything is not complete: {Fault}")]
    private static partial void LogNotListed(ILogger logger, string fault);
}

/// <summary>What one pass came to.</summary>
/// <param name="AreGone">Whether nothing is left that no record knows, but of what was not searched.</param>
/// <param name="NotSearched">What that is.</param>
public sealed record StrayOutcome(bool AreGone, IReadOnlyList<NotSearched> NotSearched);
