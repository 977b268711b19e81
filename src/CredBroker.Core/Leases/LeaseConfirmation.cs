using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Leases;

/// <summary>
/// The last way out for a lease whose revocation nobody can prove: an admin has looked at the backend, says what they
/// saw, and the lease is <c>revoked</c> on their word, which stands on it and in the log. It kills nothing.
/// </summary>
public sealed class LeaseConfirmation(IBrokerStore store)
{
    /// <summary>
    /// Confirms a lease that is <c>revoking</c> or <c>failed</c>; any other is refused, an active one above all.
    /// </summary>
    public async ValueTask<LeaseOutcome> ConfirmAsync(
        string leaseId,
        string evidence,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (!Ids.IsValid(leaseId) || await FindAsync(leaseId, cancellationToken) is not { } found)
        {
            return new LeaseOutcome.Refused(new(RefusalCode.LeaseNotFound, "There is no lease with this id."));
        }

        var confirmed = new LeaseConfirmed { Evidence = evidence };
        var outcome = await store.CommitAsync(
            new StateChange.LeaseRevoked
            {
                LeaseId = leaseId,
                ConfirmedBy = person.ToString(),
                Event = found switch
                {
                    LeaseOutcome.Found { Lease: var lease } => LeaseRevoker.Event(confirmed, lease, person),
                    _ => LeaseRevoker.Event(confirmed, ((LeaseOutcome.Unreadable)found).Lease, person),
                } with
                {
                    TraceId = call.TraceId,
                },
            },
            cancellationToken
        );
        return outcome is CommitOutcome.GuardFailed
            ? new LeaseOutcome.Refused(
                new(
                    RefusalCode.LeaseStateConflict,
                    "Only a lease whose revocation is under way or has failed is confirmed by hand. Revoke it first."
                )
            )
            : await FindAsync(leaseId, cancellationToken) ?? found;
    }

    /// <summary>The lease, also where its record is damaged: then this is the only way to bring it to its end.</summary>
    private async ValueTask<LeaseOutcome?> FindAsync(string leaseId, CancellationToken cancellationToken) =>
        await store.Leases.ListAsync(
            new()
            {
                Selector = new() { Lease = leaseId },
                Limit = 1,
            },
            cancellationToken
        ) switch
        {
            { Leases: [var lease, ..] } => new LeaseOutcome.Found(lease),
            { Unreadable: [var lease, ..] } => new LeaseOutcome.Unreadable(lease),
            _ => null,
        };
}
