using CredBroker.Core.Audit;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.State;

/// <summary>
/// One transition of the broker's state: what changes, the state it expects (its guard), and the audit event that
/// commits with it.
/// </summary>
public abstract record StateChange
{
    private StateChange() { }

    /// <summary>The event that is recorded if, and only if, the change commits.</summary>
    public required AuditEvent Event { get; init; }

    /// <summary>
    /// Step 6 of an exchange. Guards: policy version unchanged; no revocation order with a fence above
    /// <paramref name="Fence"/> matches; the task is open and owned by this workload (or unknown: then it is opened, in
    /// the same commit); the idempotency key is free or its earlier lease is over. Where the event brings no details,
    /// the store writes the decision record, which it has serialized for its own row, as the event's details.
    /// </summary>
    /// <param name="Lease">The lease as pending.</param>
    /// <param name="Fence">The fence noted in step 1.</param>
    /// <param name="TaskOwner">(issuer, workload) that must own the task.</param>
    /// <param name="Idempotency">The caller's key and the request's hash, if a key was given.</param>
    public sealed record LeaseOpened(Lease Lease, long Fence, TaskOwner TaskOwner, IdempotencyClaim? Idempotency)
        : StateChange;

    /// <summary>Step 8. Guard: pending and the issuance deadline is ahead of the store's clock.</summary>
    public sealed record LeaseActivated(
        string LeaseId,
        SecretHandles Handles,
        DateTimeOffset ExpiresAt,
        DateTimeOffset GraceUntil
    ) : StateChange;

    /// <summary>
    /// Step 8's guard failed: the handles of the secret that was made all the same are stored, whatever the state.
    /// Guard: the lease exists.
    /// </summary>
    public sealed record HandlesRecorded(string LeaseId, SecretHandles Handles) : StateChange;

    /// <summary>
    /// A renewal. Guards: active, not yet expired, policy version unchanged, no matching revocation order above
    /// <paramref name="Fence"/>.
    /// </summary>
    public sealed record LeaseRenewed(
        string LeaseId,
        long Fence,
        long PolicyVersion,
        DateTimeOffset ExpiresAt,
        DateTimeOffset GraceUntil
    ) : StateChange;

    /// <summary>
    /// Step 1 of a revocation: takes the lease and claims it. Guard: pending, active, revoking or failed, and no
    /// running claim of another worker; from active with cause <c>expiry</c> also that its end is not ahead of the
    /// store's clock (it may have been renewed since the sweep read it). The first claim sets cause, requester and
    /// request time; later ones keep them. The event is recorded only by the first.
    /// </summary>
    /// <param name="LeaseId">The lease.</param>
    /// <param name="Cause">Why.</param>
    /// <param name="RequestedBy">Who asked.</param>
    /// <param name="RevocationId">The order it belongs to, if any.</param>
    /// <param name="ClaimedBy">The worker; null only marks the lease as revoking, for a job to take.</param>
    /// <param name="ClaimedUntil">When the claim lapses.</param>
    /// <param name="OnlyFrom">States it may come from; empty means pending, active, revoking, failed.</param>
    public sealed record RevocationClaimed(
        string LeaseId,
        RevocationCause Cause,
        string RequestedBy,
        string? RevocationId,
        string? ClaimedBy,
        DateTimeOffset? ClaimedUntil,
        IReadOnlyList<LeaseState> OnlyFrom
    ) : StateChange;

    /// <summary>
    /// The accessor of a lease without a Vault lease id was revoked; absence is proven by a later sweep. Guard:
    /// revoking or failed. Clears the claim and sets the next attempt.
    /// </summary>
    public sealed record AccessorRevoked(string LeaseId, DateTimeOffset RevokedAt, DateTimeOffset NextAttemptAt)
        : StateChange;

    /// <summary>Step 4: Vault confirmed. Guard: revoking or failed.</summary>
    public sealed record LeaseRevoked(string LeaseId) : StateChange;

    /// <summary>Step 4: not confirmed. Guard: revoking or failed. Clears the claim.</summary>
    public sealed record RevocationFailed(string LeaseId, string Error, DateTimeOffset NextAttemptAt) : StateChange;

    /// <summary>A lease that nobody can revoke is over. Guard: pending, active, revoking or failed.</summary>
    public sealed record LeaseEnded(string LeaseId, RevocationCause Cause, string RequestedBy, string? RevocationId)
        : StateChange;

    /// <summary>
    /// A verified caller was denied; the record is kept as a lease's is, and stands in the event as with
    /// <see cref="LeaseOpened"/>. No guard.
    /// </summary>
    public sealed record RequestDenied(DecisionRecord Decision) : StateChange;

    /// <summary>An admin's order, the fence row. The store assigns its fence number. No guard.</summary>
    public sealed record RevocationOrdered(RevocationOrder Order) : StateChange;

    /// <summary>
    /// Every lease that the order reaches has been claimed for it. Guard: the order exists and is open.
    /// </summary>
    public sealed record RevocationEnumerated(string RevocationId) : StateChange;

    /// <summary>
    /// A task is closed, or created as closed, together with the order that revokes what was issued for it (so that a
    /// crash cannot separate the two). Guard: unknown, or owned by <paramref name="Owner"/> (null: an admin closes it)
    /// and open. The store assigns the order's fence.
    /// </summary>
    public sealed record TaskClosed(string Process, string TaskId, TaskOwner? Owner, RevocationOrder Order)
        : StateChange;

    /// <summary>
    /// A policy document becomes version <paramref name="Expected"/> + 1. Guards: the newest version is
    /// <paramref name="Expected"/>; its hash was never a version before.
    /// </summary>
    public sealed record PolicyApplied(long Expected, string Hash, PolicyDocument Document) : StateChange;

    /// <summary>
    /// An event without a change: an outcome report, a refused policy edit, counted refusals, an admin's dry run. No
    /// guard.
    /// </summary>
    public sealed record EventRecorded : StateChange;
}

/// <summary>What names a secret in Vault, so that it can be revoked; nothing of it is secret.</summary>
public sealed record SecretHandles(string? VaultLeaseId, string? CredentialAccessor, string PublicName);

/// <summary>Who owns a task.</summary>
public sealed record TaskOwner(string Issuer, string Workload);

/// <summary>An idempotency key as its caller sent it.</summary>
/// <param name="CallerKey">SHA-256 over issuer, subject and instance: keys are unique per verified identity.</param>
/// <param name="Key">The key.</param>
/// <param name="RequestHash">SHA-256 of the request's canonical form.</param>
/// <param name="Replaces">
/// The earlier lease of this key that is over now and may be replaced; null for a first use.
/// </param>
public sealed record IdempotencyClaim(string CallerKey, string Key, string RequestHash, string? Replaces);
