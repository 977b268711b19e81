using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Leases;

/// <content>What ends an issuance that went wrong.</content>
public sealed partial class LeaseRevoker
{
    /// <summary>
    /// Ends an issuance that stopped while its secret was being minted. If Vault said that nothing was made, revoking
    /// the child token settles it; otherwise recovery has to prove it.
    /// </summary>
    internal async ValueTask AbandonAsync(Lease lease, Refusal told, bool nothingWasMade)
    {
        var reason = Recovery("exchange") with { Code = told.CodeText };
        if (!nothingWasMade || lease.Reach == RevocationReach.None || lease.Accessor is not { } accessor)
        {
            await RevokeAsync(lease, reason, []);
            return;
        }

        await store.CommitAsync(Claim(lease, reason, Ids.New(time), []), CancellationToken.None);
        using var timeout = new CancellationTokenSource(options.RevocationTimeout, time);
        if (await issuer.RevokeAccessorAsync(accessor, timeout.Token) is RevokeOutcome.Failed failed)
        {
            await FailAsync(lease, failed.Error);
            return;
        }

        await ConfirmAsync(lease);
    }

    /// <summary>
    /// Revokes at once a secret that was minted and must not be delivered. Its handles are stored first, so that it stays
    /// revocable if this is cut short: with its lease, or where that one is over already, with a lease of its own.
    /// </summary>
    internal async ValueTask RevokeLateAsync(Lease lease, SecretHandles handles, string why)
    {
        lease = await RecordLateAsync(lease, handles, why);
        if (lease.Reach == RevocationReach.None && handles.VaultLeaseId is null)
        {
            await EndAsync(lease, Recovery("exchange"));
            return;
        }

        // Pending: claim it. Taken already: the claim may be another worker's, who does not know these handles; killing
        // the secret needs no claim, and is idempotent.
        await store.CommitAsync(Claim(lease, Recovery("exchange"), Ids.New(time), []), CancellationToken.None);
        var late = With(lease, handles);
        switch (await AtVaultAsync(late))
        {
            case RevokeOutcome.Confirmed:
                await ConfirmAsync(late);
                break;
            case RevokeOutcome.Failed failed:
                await FailAsync(late, failed);
                break;
            case RevokeOutcome.Unproven:
                await CommitAccessorRevokedAsync(late);
                break;
        }
    }

    /// <summary>The lease that now holds the handles of the late secret.</summary>
    private async ValueTask<Lease> RecordLateAsync(Lease lease, SecretHandles handles, string why)
    {
        var recorded = await store.CommitAsync(
            new StateChange.HandlesRecorded
            {
                LeaseId = lease.Id,
                Handles = handles,
                Event = Late(lease, null),
            },
            CancellationToken.None
        );
        if (
            recorded is CommitOutcome.Committed
            || handles is { VaultLeaseId: null, CredentialAccessor: null } // Nothing that could be revoked.
        )
        {
            return lease;
        }

        var (own, recovery) = (lease with { Id = Ids.New(time) }, Recovery("exchange"));
        await store.CommitAsync(
            new StateChange.LateLeaseOpened
            {
                LeaseId = own.Id,
                LateFor = lease.Id,
                Handles = handles,
                Cause = recovery.Cause,
                RequestedBy = recovery.RequestedBy,
                Event = Late(own, lease.Id),
            },
            CancellationToken.None
        );
        return own;

        AuditEvent Late(Lease holder, string? lateFor) =>
            Event(
                new LeaseLate
                {
                    VaultLease = handles.VaultLeaseId,
                    CredentialAccessor = handles.CredentialAccessor,
                    PublicName = handles.PublicName,
                    LateFor = lateFor,
                },
                holder,
                AuditActor.Broker("exchange")
            ) with
            {
                Reason = why,
            };
    }

    /// <summary>The same, of what the lease is known by.</summary>
    internal ValueTask<bool> KillAsync(Lease lease) =>
        KillAsync(lease, new(lease.VaultLeaseId, lease.CredentialAccessor, lease.PublicName));

    /// <summary>
    /// Kills the secret without touching the store, which does not accept; whatever the row says, recovery or expiry
    /// goes on from there. Whether Vault confirmed that it is gone.
    /// </summary>
    internal async ValueTask<bool> KillAsync(Lease lease, SecretHandles handles)
    {
        var outcome = await AtVaultAsync(With(lease, handles));
        if (outcome is RevokeOutcome.Failed { IsNotTried: false } failed)
        {
            LogNotKilled(logger, lease.Id, failed.Error);
        }

        return outcome is RevokeOutcome.Confirmed;
    }
}
