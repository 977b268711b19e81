using CredBroker.Core.Audit;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.State;

/// <summary>
/// Seam: the durable truth. <see cref="CommitAsync"/> is the only way to change anything, and every change carries its
/// guard and its audit event, so that both commit together. Every member throws <see cref="StoreUnavailableException"/>
/// when the store does not accept or answer.
/// </summary>
public interface IBrokerStore
{
    /// <summary>
    /// Commits one transition with its audit event, durably, or neither. A failed guard changes nothing and is a value,
    /// not an exception.
    /// </summary>
    ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken);

    /// <summary>
    /// The store's clock (never behind what it has persisted), the newest fence and the newest audit record: what step
    /// 1 of an exchange notes.
    /// </summary>
    StorePosition Position { get; }

    /// <summary>One lease, or null.</summary>
    ValueTask<Lease?> FindLeaseAsync(string leaseId, CancellationToken cancellationToken);

    /// <summary>A page of leases, newest first.</summary>
    ValueTask<LeasePage> ListLeasesAsync(LeaseQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Leases that a job has to work on now, longest overdue first, those under a running claim excluded.
    /// </summary>
    ValueTask<IReadOnlyList<Lease>> FindWorkAsync(
        LeaseWork work,
        DateTimeOffset dueBefore,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>Which of these Vault lease ids some lease holds.</summary>
    ValueTask<IReadOnlySet<string>> FindKnownVaultLeasesAsync(
        IReadOnlyCollection<string> vaultLeaseIds,
        CancellationToken cancellationToken
    );

    /// <summary>One revocation order, or null.</summary>
    ValueTask<RevocationOrder?> FindRevocationAsync(string revocationId, CancellationToken cancellationToken);

    /// <summary>Orders whose leases have not all been claimed yet.</summary>
    ValueTask<IReadOnlyList<RevocationOrder>> FindOpenRevocationsAsync(CancellationToken cancellationToken);

    /// <summary>What an idempotency key of this caller was used for in the last 24 hours, or null.</summary>
    ValueTask<IdempotencyRecord?> FindIdempotencyAsync(
        string callerKey,
        string idempotencyKey,
        CancellationToken cancellationToken
    );

    /// <summary>The newest applied policy, or null.</summary>
    ValueTask<AppliedPolicyRecord?> FindPolicyAsync(CancellationToken cancellationToken);
}

/// <summary>Work that jobs ask the store for.</summary>
public enum LeaseWork
{
    /// <summary>Active leases whose <see cref="Lease.ExpiresAt"/> is before the given time.</summary>
    Expired,

    /// <summary>
    /// Leases in <c>revoking</c> or <c>failed</c> whose next attempt is before the given time (none set counts as due)
    /// and whose claim, if any, has lapsed.
    /// </summary>
    RevocationDue,

    /// <summary>Pending leases whose issuance deadline is before the given time.</summary>
    PendingPastDeadline,
}

/// <summary>The store's position at one moment.</summary>
/// <param name="UtcNow">The store's clock: max(persisted, the process's clock).</param>
/// <param name="Fence">The number of the newest revocation order.</param>
/// <param name="PolicyVersion">The newest applied policy's version; 0 when none.</param>
/// <param name="AuditHead">The newest committed audit record, written into Vault's own log as an anchor.</param>
public sealed record StorePosition(DateTimeOffset UtcNow, long Fence, long PolicyVersion, AuditPosition AuditHead);

/// <summary>Which leases to list. All that is set must hold.</summary>
public sealed record LeaseQuery
{
    /// <summary>Fields that must be equal; an empty selector selects all.</summary>
    public LeaseSelector Selector { get; init; } = new();

    /// <summary>States wanted; empty means every state.</summary>
    public IReadOnlyList<LeaseState> States { get; init; } = [];

    /// <summary>Leases taken by this revocation order.</summary>
    public string? RevocationId { get; init; }

    /// <summary>Continue after this lease id (exclusive).</summary>
    public string? After { get; init; }

    /// <summary>At most this many, 1 to 1,000.</summary>
    public int Limit { get; init; } = 100;
}

/// <summary>A page of leases; <paramref name="Next"/> continues it, null at the end.</summary>
public sealed record LeasePage(IReadOnlyList<Lease> Leases, string? Next);

/// <summary>What an idempotency key led to.</summary>
/// <param name="RequestHash">SHA-256 of the first request's canonical form.</param>
/// <param name="LeaseId">The lease it opened.</param>
public sealed record IdempotencyRecord(string RequestHash, string LeaseId);

/// <summary>A policy version as the store keeps it.</summary>
public sealed record AppliedPolicyRecord(long Version, string Hash, PolicyDocument Document, DateTimeOffset AppliedAt);

/// <summary>
/// The store does not accept or answer. Nothing was committed, unless the message says that the outcome is unknown.
/// </summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
