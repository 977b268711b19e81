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
    public ValueTask<RevokeOutcome> RevokeAsync(Lease lease, CancellationToken cancellationToken) =>
        // What a standby may not know is whether a lease was there, and then its backend was asked. Of a token there is only
        // Vault to ask.
        TellAsync(
            (proof, doubt) => RevokeAsync(lease, proof, doubt, cancellationToken),
            isStandbyEnough: lease.CredentialAccessor is null,
            cancellationToken
        );

    /// <inheritdoc/>
    public ValueTask<RevokeOutcome> RevokeStrayAsync(string vaultLeaseId, CancellationToken cancellationToken) =>
        TellAsync(
            (proof, _) => _revocation.RevokeLeaseAsync(vaultLeaseId, proof, cancellationToken),
            isStandbyEnough: true,
            cancellationToken
        );

    /// <summary>
    /// Revokes, all over one connection: what a node says of a lease counts for what it is told to do with it. A node
    /// whose word proves nothing is told all the same: a replica that took the place of another cluster has its leases,
    /// and a standby passes it on.
    /// </summary>
    private async ValueTask<RevokeOutcome> TellAsync(
        Func<VaultProof, VaultReply?, ValueTask<RevokeOutcome>> tell,
        bool isStandbyEnough,
        CancellationToken cancellationToken
    )
    {
        using var proof = Client.Prove();
        var doubt = await proof.BeginAsync(cancellationToken);
        var outcome = await tell(proof, doubt);
        if (outcome is RevokeOutcome.Failed failed)
        {
            return doubt is VaultReply.Lost { IsOfAnotherCluster: true } or VaultReply.Lost { IsDoubted: true }
                ? failed with
                {
                    Error = $"{doubt.Why} {failed.Error}",
                }
                : failed;
        }

        var atEnd = await proof.EndAsync(cancellationToken);
        return atEnd is null || (proof.IsStandby && isStandbyEnough)
            ? outcome
            : new RevokeOutcome.Failed((doubt ?? atEnd).Why);
    }

    private async ValueTask<RevokeOutcome> RevokeAsync(
        Lease lease,
        VaultProof proof,
        VaultReply? doubt,
        CancellationToken cancellationToken
    )
    {
        // Asked first, because Vault says "done" of a lease that it does not know, too: one that it has revoked itself,
        // and one that it was made to forget (revoke-force, a backup put back). Where it does not say which, its "done" is
        // no more than that, and the backend is asked.
        var found = (lease.VaultLeaseId, doubt) switch
        {
            (null, _) => null,
            (_, { } why) => new LeaseLookup.Failed(why.Why),
            ({ } id, _) => await _leases.LookUpAsync(id, proof, cancellationToken),
        };
        var isTokenKnown =
            !_cluster.IsOlder(lease)
            || lease.CredentialAccessor is not { } accessor
            || await _revocation.ConfirmGoneAsync([accessor], proof, cancellationToken) is RevokeOutcome.Failed;
        var outcome = await _revocation.RevokeAsync(lease, proof, cancellationToken);
        return (found, outcome) switch
        {
            (LeaseLookup.Gone or LeaseLookup.Failed, RevokeOutcome.Confirmed) => await ReapAsync(
                lease,
                proof,
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
                proof,
                cancellationToken
            ) is RevokeOutcome.Confirmed
                ? await _revocation.RevokeAsync(lease, proof, cancellationToken)
                : WithVaultsWords(outcome, words),
            (_, RevokeOutcome.Confirmed) when !isTokenKnown => OfAnotherCluster,
            _ => outcome,
        };

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
        ProveAsync(proof => ReapAsync(lease, proof, cancellationToken), cancellationToken);

    /// <summary>The same of a lease of this id, whether there ever was one.</summary>
    internal ValueTask<RevokeOutcome> ReapAsync(
        CatalogueEntry entry,
        string leaseId,
        CancellationToken cancellationToken
    ) => ProveAsync(proof => _reaper.ReapAsync(entry, leaseId, proof, cancellationToken), cancellationToken);

    private ValueTask<RevokeOutcome> ReapAsync(Lease lease, VaultProof proof, CancellationToken cancellationToken) =>
        _reaper.ReapAsync(lease.Grant.Entry, VaultReaper.MadeFor(lease), proof, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RevokeOutcome> RevokeAccessorAsync(string accessor, CancellationToken cancellationToken) =>
        _revocation.RevokeAccessorAsync(accessor, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseListing> ListLeasesAsync(CatalogueEntry entry, CancellationToken cancellationToken) =>
        _names.FaultOf(entry) is null && _names.LeasePrefix(entry) is { } prefix
            ? Client.ProveAsync(
                proof => _leases.ListAsync(prefix, proof, cancellationToken),
                doubt => new LeaseListing.Failed(doubt.Why),
                cancellationToken
            )
            : new(new LeaseListing.NotOurs());

    /// <inheritdoc/>
    public ValueTask<RoleListing> FindRolesAsync(
        IReadOnlyList<CatalogueEntry> known,
        CancellationToken cancellationToken
    ) =>
        Client.ProveAsync(
            proof => _roles.FindAsync(known, proof, cancellationToken),
            doubt => new RoleListing.Failed(doubt.Why),
            cancellationToken
        );

    /// <inheritdoc/>
    public ValueTask<LeaseLookup> LookUpLeaseAsync(string vaultLeaseId, CancellationToken cancellationToken) =>
        Client.ProveAsync(
            proof => _leases.LookUpAsync(vaultLeaseId, proof, cancellationToken),
            doubt => new LeaseLookup.Failed(doubt.Why),
            cancellationToken
        );

    private ValueTask<RevokeOutcome> ProveAsync(
        Func<VaultProof, ValueTask<RevokeOutcome>> ask,
        CancellationToken cancellationToken
    ) => Client.ProveAsync(ask, doubt => new RevokeOutcome.Failed(doubt.Why), cancellationToken);
}
