using CredBroker.Core.Policy;

namespace CredBroker.Core.State;

/// <summary>
/// One issued (or nearly issued) secret: what it was decided from, the handles that revoke it, and where it stands.
/// Never the secret.
/// </summary>
public sealed record Lease
{
    /// <summary>The lease id.</summary>
    public required string Id { get; init; }

    /// <summary>Where it stands.</summary>
    public required LeaseState State { get; init; }

    /// <summary>What the decision was made from.</summary>
    public required DecisionRecord Decision { get; init; }

    /// <summary>What was granted: a lease stands on a decision that allowed it.</summary>
    /// <exception cref="InvalidOperationException">It does not; the store gives out no such lease.</exception>
    public Grant Grant =>
        Decision.Verdict.Grant ?? throw new InvalidOperationException($"Nothing was granted to lease {Id}.");

    /// <summary>
    /// What revoking it reaches: what the catalogue entry says, or more, where Vault gave the secret a lease of its own.
    /// </summary>
    public RevocationReach Reach => VaultLeaseId is not null ? RevocationReach.Backend : Grant.Entry.Vault.Revocation;

    /// <summary>
    /// The first attempt of an emergency comes before everything else, a repeated one after everything else.
    /// </summary>
    public RevocationLane Lane =>
        (Attempts, Cause) switch
        {
            _ when IsUrgent => RevocationLane.Emergency,
            (> 0, _) or (_, RevocationCause.Recovery) => RevocationLane.Retry,
            (_, RevocationCause.Admin or RevocationCause.Quarantine) => RevocationLane.Emergency,
            (_, RevocationCause.PolicyChange) => RevocationLane.PolicyChange,
            _ => RevocationLane.Ending,
        };

    /// <summary>The child token's accessor: revoking it revokes what hangs on it. Null for a plain read.</summary>
    public string? Accessor { get; init; }

    /// <summary>For a Vault token as the credential: its own accessor.</summary>
    public string? CredentialAccessor { get; init; }

    /// <summary>Vault's lease id; confirmation is revoking it with <c>sync</c>.</summary>
    public string? VaultLeaseId { get; init; }

    /// <summary>A name of the secret that is no secret: the certificate's serial, the database user.</summary>
    public string PublicName { get; init; } = "";

    /// <summary>When the exchange opened it.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>Until when the exchange may activate it; afterwards it belongs to recovery.</summary>
    public required DateTimeOffset IssuanceDeadline { get; init; }

    /// <summary>When it became active.</summary>
    public DateTimeOffset? ActivatedAt { get; init; }

    /// <summary>When the secret ends, as promised to the agent. Set at activation.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// The stated grace: until when the backend may accept the secret if Vault cannot be reached at
    /// <see cref="ExpiresAt"/>.
    /// </summary>
    public DateTimeOffset? GraceUntil { get; init; }

    /// <summary>Why it was revoked or ended.</summary>
    public RevocationCause? Cause { get; init; }

    /// <summary>Who asked: a person, an agent, a job. As in the audit event's actor.</summary>
    public string RequestedBy { get; init; } = "";

    /// <summary>The admin's order that took it, if one did.</summary>
    public string? RevocationId { get; init; }

    /// <summary>When revocation was first asked for.</summary>
    public DateTimeOffset? RevocationRequestedAt { get; init; }

    /// <summary>When Vault confirmed (<c>revoked</c>), or the lease ended.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>
    /// The person on whose word alone it counts as revoked; empty where Vault or its backend has proven it.
    /// </summary>
    public string ConfirmedBy { get; init; } = "";

    /// <summary>
    /// For recovery of a lease without a Vault lease id: when its accessor was revoked; a sweep proves absence only if
    /// it begins long enough after.
    /// </summary>
    public DateTimeOffset? AccessorRevokedAt { get; init; }

    /// <summary>Whether only a sweep can say that no secret of it exists: it has nothing left that could be revoked.</summary>
    public bool AwaitsProof => this is { VaultLeaseId: null, CredentialAccessor: null, AccessorRevokedAt: not null };

    /// <summary>
    /// Whether an admin's order reached it while it was being revoked already, and no attempt has been made since.
    /// </summary>
    public bool IsUrgent { get; init; }

    /// <summary>How many attempts to revoke have failed.</summary>
    public int Attempts { get; init; }

    /// <summary>When the next attempt is due.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>What the last attempt failed with; no secret value.</summary>
    public string LastError { get; init; } = "";

    /// <summary>Which broker works on its revocation.</summary>
    public string? ClaimedBy { get; init; }

    /// <summary>Until when that claim holds.</summary>
    public DateTimeOffset? ClaimedUntil { get; init; }
}
