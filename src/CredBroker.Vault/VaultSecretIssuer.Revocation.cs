using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Vault.Http;

namespace CredBroker.Vault;

/// <content>Taking back, and asking what there is.</content>
public sealed partial class VaultSecretIssuer
{
    private static readonly RevokeOutcome.Failed OfAnotherCluster = new(
        "Vault does not know it, and is another cluster than when it was made: nothing is proven. If it is known to be gone: "
            + "credbroker leases confirm"
    );

    /// <inheritdoc/>
    public async ValueTask<RevokeOutcome> RevokeAsync(Lease lease, CancellationToken cancellationToken)
    {
        // Asked first, because Vault says "done" of a lease that it does not know, too: one that it has revoked itself,
        // and one that it was made to forget (revoke-force, a backup put back). Where it does not say which, its "done" is
        // no more than that, and the backend is asked.
        var found = lease.VaultLeaseId is { } id ? await _leases.LookUpAsync(id, cancellationToken) : null;
        if (
            (found is null || _cluster.IsAnother)
            && await Client.SeeClusterAsync(cancellationToken) is VaultReply.Lost { IsOfAnotherCluster: true } another
        )
        {
            // It is told all the same: one that took the other's place (a replica, promoted) has its leases. But what it
            // says of them proves nothing.
            return await _revocation.RevokeAsync(lease, cancellationToken) is RevokeOutcome.Failed untold
                ? untold with
                {
                    Error = $"{another.Why} {untold.Error}",
                }
                : new RevokeOutcome.Failed(another.Why);
        }

        var isTokenKnown =
            !_cluster.IsOlder(lease)
            || lease.CredentialAccessor is not { } accessor
            || await _revocation.ConfirmGoneAsync([accessor], cancellationToken) is RevokeOutcome.Failed;
        var outcome = await _revocation.RevokeAsync(lease, cancellationToken);
        outcome = (found, outcome) switch
        {
            (LeaseLookup.Gone or LeaseLookup.Failed, RevokeOutcome.Confirmed) => await ReapAsync(
                lease,
                cancellationToken
            ) switch
            {
                RevokeOutcome.Confirmed => outcome,
                RevokeOutcome.Failed unanswered => unanswered,
                RevokeOutcome.Unproven { Cure: { } cure } => new RevokeOutcome.Failed(cure),
                _ when _cluster.IsOlder(lease) => OfAnotherCluster,
                // It has no reaper and never had: there is nobody but Vault to ask.
                _ => outcome,
            },
            // Vault has given up on it. Where the reaper can remove the user, Vault's own statements find nothing to do.
            (LeaseLookup.Found { Lease.RevokeError: { Length: > 0 } words }, RevokeOutcome.Failed) => await ReapAsync(
                lease,
                cancellationToken
            ) is RevokeOutcome.Confirmed
                ? await _revocation.RevokeAsync(lease, cancellationToken)
                : WithVaultsWords(outcome, words),
            (_, RevokeOutcome.Confirmed) when !isTokenKnown => OfAnotherCluster,
            _ => outcome,
        };

        // A lookup that was answered was answered by the cluster that is believed.
        return
            outcome is not RevokeOutcome.Failed
            && found is LeaseLookup.Failed or null
            && await Client.SeeClusterAsync(cancellationToken) is { } unseen
            ? new RevokeOutcome.Failed(unseen.Why)
            : outcome;

        static RevokeOutcome WithVaultsWords(RevokeOutcome failed, string revokeError) =>
            failed is RevokeOutcome.Failed unconfirmed
                ? unconfirmed with
                {
                    Error = $"{unconfirmed.Error} Vault itself has given up (revoke_error): {revokeError}",
                }
                : failed;
    }

    /// <inheritdoc/>
    public ValueTask<RevokeOutcome> ReapAsync(Lease lease, CancellationToken cancellationToken) =>
        Reaper.ReapAsync(lease.Grant.Entry, VaultReaper.MadeFor(lease), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RevokeOutcome> RevokeAccessorAsync(string accessor, CancellationToken cancellationToken) =>
        _revocation.RevokeAccessorAsync(accessor, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<RevokeOutcome> RevokeStrayAsync(string vaultLeaseId, CancellationToken cancellationToken)
    {
        var outcome = await _revocation.RevokeLeaseAsync(vaultLeaseId, cancellationToken);
        return outcome is not RevokeOutcome.Failed && await Client.SeeClusterAsync(cancellationToken) is { } unseen
            ? new RevokeOutcome.Failed(unseen.Why)
            : outcome;
    }

    /// <inheritdoc/>
    public ValueTask<LeaseListing> ListLeasesAsync(CatalogueEntry entry, CancellationToken cancellationToken) =>
        _names.FaultOf(entry) is null && _names.LeasePrefix(entry) is { } prefix
            ? _leases.ListAsync(prefix, cancellationToken)
            : new(new LeaseListing.NotOurs());

    /// <inheritdoc/>
    public ValueTask<LeaseLookup> LookUpLeaseAsync(string vaultLeaseId, CancellationToken cancellationToken) =>
        _leases.LookUpAsync(vaultLeaseId, cancellationToken);
}
