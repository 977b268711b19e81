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
        if (!Ids.IsValid(leaseId) || await store.Leases.FindAsync(leaseId, cancellationToken) is not { } lease)
        {
            return new LeaseOutcome.Refused(new(RefusalCode.LeaseNotFound, "There is no lease with this id."));
        }

        var outcome = await store.CommitAsync(
            new StateChange.LeaseRevoked
            {
                LeaseId = lease.Id,
                ConfirmedBy = person.ToString(),
                Event = LeaseRevoker.Event(new LeaseConfirmed { Evidence = evidence }, lease, person) with
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
            : new LeaseOutcome.Found(await store.Leases.FindAsync(lease.Id, cancellationToken) ?? lease);
    }
}
