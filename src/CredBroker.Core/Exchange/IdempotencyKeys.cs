using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Exchange;

/// <summary>
/// Lets a caller repeat a request whose reply it lost, under the key that it gave the first one. A secret is delivered
/// once, so a repetition gets a new one, and only after the first is confirmed revoked: never two at a time for one key.
/// </summary>
internal sealed class IdempotencyKeys(IBrokerStore store, LeaseRevoker revoker)
{
    /// <summary>
    /// What an idempotency key means for this request: a claim to commit with the lease, or why it cannot go on. The
    /// earlier secret of the key is gone before a new one is made.
    /// </summary>
    public async ValueTask<(IdempotencyClaim? Claim, Refusal? Conflict)> ClaimAsync(
        ExchangeCommand command,
        WorkloadIdentity identity,
        CancellationToken cancellationToken
    )
    {
        if (command.IdempotencyKey is not { } key)
        {
            return (null, null);
        }

        var claim = new IdempotencyClaim(RequestDigest.Caller(identity), key, RequestDigest.Request(command), null);
        if (await store.Idempotency.FindAsync(claim.CallerKey, key, cancellationToken) is not { } earlier)
        {
            return (claim, null);
        }

        if (earlier.RequestHash != claim.RequestHash)
        {
            return (
                null,
                new(
                    RefusalCode.IdempotencyKeyReused,
                    "This idempotency key was used with another body. Use a new key for a new request."
                )
            );
        }

        var lease = await store.Leases.FindAsync(earlier.LeaseId, cancellationToken);
        if (lease?.State == LeaseState.Pending)
        {
            return (null, GuardRefusals.Of(GuardFailure.IdempotencyTaken));
        }

        if (lease?.State == LeaseState.Active)
        {
            lease = await revoker.RevokeAsync(
                lease,
                new(RevocationCause.Released, AuditActor.Workload(identity), null, command.Call.TraceId),
                [LeaseState.Active]
            );
        }

        return lease is null or { State: LeaseState.Revoked or LeaseState.Ended }
            ? (claim with { Replaces = earlier.LeaseId }, null)
            : (
                null,
                new(
                    RefusalCode.IdempotencyNotRevoked,
                    "The secret of the first request with this key is not confirmed revoked yet. Try again.",
                    TimeSpan.FromSeconds(2)
                )
            );
    }
}
