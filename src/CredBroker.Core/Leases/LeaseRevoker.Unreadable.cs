using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Leases;

/// <content>
/// What becomes of a lease whose record is damaged: its secret is revoked by what its row still says. What it was cannot
/// be told, so that is proof of nothing, and it stays <c>failed</c> until an admin has looked and confirms it.
/// </content>
public sealed partial class LeaseRevoker
{
    /// <summary>Marks it as revoking, which needs nothing of what is damaged. Whether it was taken.</summary>
    public async ValueTask<bool> MarkAsync(
        UnreadableLease lease,
        RevocationReason reason,
        IReadOnlyList<LeaseState> onlyFrom
    ) =>
        await store.CommitAsync(Claim(lease, reason, null, onlyFrom), CancellationToken.None)
        is CommitOutcome.Committed;

    /// <summary>Revokes what its row names, and puts on record how far that went.</summary>
    public async ValueTask RevokeAsync(UnreadableLease lease, RevocationLane lane, Bulkhead.Pass turn)
    {
        var reason = Recovery("revocation-retry");
        var claimed = await store.CommitAsync(
            Claim(lease, reason, Ids.New(time), [LeaseState.Revoking, LeaseState.Failed]),
            CancellationToken.None
        );
        if (claimed is CommitOutcome.GuardFailed)
        {
            return;
        }

        var (_, hasFailed, said) = await AtVaultAsync(lease, lane);
        turn.Dispose();
        await store.CommitAsync(
            new StateChange.RevocationFailed
            {
                LeaseId = lease.Id,
                Error = said,
                NextAttemptAt = store.Position.Counted + (hasFailed ? Backoff(lease.Attempts) : LookAgain),
                Event = Event(new RevocationFailed { Error = said }, lease, AuditActor.Broker("revocation")),
            },
            CancellationToken.None
        );
    }

    /// <summary>
    /// The same without touching the store, which does not accept. Whether Vault confirmed that what the row names is
    /// gone. A place at its backend is waited for in this lane.
    /// </summary>
    internal async ValueTask<bool> KillAsync(UnreadableLease lease, RevocationLane lane) =>
        (await AtVaultAsync(lease, lane)).IsGone;

    /// <summary>Every handle that is left, whatever becomes of the others; the Vault lease first, which alone confirms.</summary>
    private async ValueTask<(bool IsGone, bool HasFailed, string Said)> AtVaultAsync(
        UnreadableLease lease,
        RevocationLane lane
    )
    {
        var faults = new List<string>();
        if (lease.VaultLeaseId is { } id)
        {
            Note(await AtBackendAsync(lease.Backend, lane, stopping => issuer.RevokeStrayAsync(id, stopping)));
        }

        using var timeout = new CancellationTokenSource(options.RevocationTimeout, time);
        foreach (var accessor in new[] { lease.CredentialAccessor, lease.Accessor }.OfType<string>())
        {
            Note(await issuer.RevokeAccessorAsync(accessor, timeout.Token));
        }

        var did = (faults.Count, lease) switch
        {
            (> 0, _) => string.Join("; ", faults),
            (_, { VaultLeaseId: { } gone }) => $"Vault has revoked its lease {gone}, or knows it no more.",
            (_, { Accessor: null, CredentialAccessor: null }) => "Nothing is left in it that could be revoked.",
            _ => "Its tokens are revoked; whether a secret was made is not known.",
        };
        var name = lease.PublicName.Length == 0 ? "its secret" : lease.PublicName;
        return (
            faults.Count == 0 && lease.VaultLeaseId is not null,
            faults.Count > 0,
            $"The record of this lease is damaged. {did} Look at the backend of {lease.Credential} for {name}, then: "
                + $"credbroker leases confirm {lease.Id}"
        );

        void Note(RevokeOutcome outcome)
        {
            if (outcome is RevokeOutcome.Failed { Error: var error })
            {
                faults.Add(error);
            }
        }
    }

    private StateChange.RevocationClaimed Claim(
        UnreadableLease lease,
        RevocationReason reason,
        string? worker,
        IReadOnlyList<LeaseState> onlyFrom
    ) => Claim(lease.Id, Event(Requested(reason), lease, reason.Actor), reason, worker, onlyFrom);

    internal static AuditEvent Event(AuditFact what, UnreadableLease lease, AuditActor actor) =>
        new()
        {
            What = what,
            Actor = actor,
            LeaseId = lease.Id,
            Process = lease.Process,
            TaskId = lease.Task,
            Credential = lease.Credential,
        };
}
