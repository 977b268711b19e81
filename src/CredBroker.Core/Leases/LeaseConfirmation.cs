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
    /// Confirms a lease that is <c>revoking</c> or <c>failed</c>, after an attempt to revoke it and not while one is under
    /// way; any other is refused, an active one above all.
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
                new(RefusalCode.LeaseStateConflict, WhyNot(await FindAsync(leaseId, cancellationToken) ?? found))
            )
            : await FindAsync(leaseId, cancellationToken) ?? found;
    }

    private string WhyNot(LeaseOutcome found)
    {
        var (state, isTried, claimedUntil) = found switch
        {
            LeaseOutcome.Found { Lease: var lease } => (
                lease.State,
                lease.Attempts > 0 || lease.AccessorRevokedAt is not null,
                lease.ClaimedUntil
            ),
            LeaseOutcome.Unreadable { Lease: var lease } => (lease.State, lease.Attempts > 0, null),
            _ => (LeaseState.Revoked, true, default(DateTimeOffset?)),
        };
        return state switch
        {
            not (LeaseState.Revoking or LeaseState.Failed) =>
                "Only a lease whose revocation is under way or has failed is confirmed by hand. Revoke it first.",
            _ when claimedUntil > store.Position.Counted =>
                $"An attempt to revoke it is under way, until {claimedUntil:O} at the latest. See what comes of it first: "
                    + $"credbroker leases show {IdOf(found)}",
            _ when !isTried =>
                "The broker has not tried to revoke it yet. It does so by itself; see what comes of that first: "
                    + $"credbroker leases show {IdOf(found)}",
            _ => "An attempt to revoke it was under way. Try again.",
        };
    }

    private static string IdOf(LeaseOutcome found) =>
        found is LeaseOutcome.Found { Lease.Id: var id } ? id : ((LeaseOutcome.Unreadable)found).Lease.Id;

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
