using System.Text.Json;

namespace CredBroker.Client;

/// <summary>
/// A lease as it stands: never the secret. The agent that holds it sees what concerns it; <see cref="Holder"/>,
/// <see cref="Owner"/>, <see cref="RuleId"/> and <see cref="Vault"/> are there only for people with a role.
/// </summary>
public sealed record LeaseResponse
{
    /// <summary>The lease's id.</summary>
    public required string LeaseId { get; init; }

    /// <summary>One of <see cref="LeaseStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary><c>database</c>, <c>dynamic</c>, <c>pki</c>, <c>kv</c> or <c>token</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>The task that it is for.</summary>
    public required TaskDeclaration Task { get; init; }

    /// <summary>The actions that it was granted for.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>What the agent said that the actions are about.</summary>
    public string? Resource { get; init; }

    /// <summary>The decision that allowed it.</summary>
    public required DecisionReference Decision { get; init; }

    /// <summary>When it was recorded, before the secret was made.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>When the secret was issued.</summary>
    public DateTimeOffset? ActivatedAt { get; init; }

    /// <summary>When the secret ends.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// Until when the backend may still accept it if Vault cannot be reached at <see cref="ExpiresAt"/>.
    /// </summary>
    public DateTimeOffset? GraceUntil { get; init; }

    /// <summary>Where its revocation stands, once one was asked for.</summary>
    public LeaseRevocationResponse? Revocation { get; init; }

    /// <summary>What may still be accepted although the lease is over.</summary>
    public IReadOnlyList<StillValidResponse>? StillValid { get; init; }

    /// <summary>For people with a role: who holds it.</summary>
    public IdentityResponse? Holder { get; init; }

    /// <summary>For people with a role: who answers for the process.</summary>
    public OwnerResponse? Owner { get; init; }

    /// <summary>For people with a role: the rule that allowed it.</summary>
    public string? RuleId { get; init; }

    /// <summary>For people with a role: what names the secret in Vault.</summary>
    public VaultHandlesResponse? Vault { get; init; }
}

/// <summary>The states of a lease.</summary>
public static class LeaseStates
{
    /// <summary>Recorded; the secret may or may not exist yet.</summary>
    public const string Pending = "pending";

    /// <summary>Issued and live.</summary>
    public const string Active = "active";

    /// <summary>A revocation is ordered and not confirmed.</summary>
    public const string Revoking = "revoking";

    /// <summary>The last attempt to revoke failed; it is tried again.</summary>
    public const string Failed = "failed";

    /// <summary>Vault confirmed that the secret is gone.</summary>
    public const string Revoked = "revoked";

    /// <summary>Over, but nothing could be revoked: the value stays valid until it is rotated.</summary>
    public const string Ended = "ended";

    /// <summary>Every state, in the order of a lease's life.</summary>
    public static IReadOnlyList<string> All { get; } = [Pending, Active, Revoking, Failed, Revoked, Ended];

    /// <summary>Whether nothing more will happen to a lease in this state.</summary>
    public static bool IsFinal(string state) => state is Revoked or Ended;
}

/// <summary>Where a lease's revocation stands.</summary>
public sealed record LeaseRevocationResponse
{
    /// <summary>
    /// <c>expiry</c>, <c>admin</c>, <c>policy-change</c>, <c>task-closed</c>, <c>released</c> or <c>recovery</c>.
    /// </summary>
    public required string Cause { get; init; }

    /// <summary>When it was first asked for.</summary>
    public DateTimeOffset? RequestedAt { get; init; }

    /// <summary>When Vault confirmed it, or the lease ended.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>For people with a role: who asked.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>For people with a role: the order that it belongs to.</summary>
    public string? RevocationId { get; init; }

    /// <summary>For people with a role: how many attempts failed.</summary>
    public int? Attempts { get; init; }

    /// <summary>For people with a role: what the last attempt failed with.</summary>
    public string? LastError { get; init; }

    /// <summary>For people with a role: when the next attempt is due.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }
}

/// <summary>What may still be accepted after a revocation.</summary>
public sealed record StillValidResponse
{
    /// <summary>The lease.</summary>
    public required string LeaseId { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>Who may still accept it, and what to do.</summary>
    public required string What { get; init; }

    /// <summary>Until when; absent means until it is rotated.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>A verified identity.</summary>
public sealed record IdentityResponse
{
    /// <summary>The policy's name for the agent; absent where none admitted it.</summary>
    public string? Agent { get; init; }

    /// <summary><c>oidc</c> or <c>jwt-svid</c>.</summary>
    public required string Proof { get; init; }

    /// <summary>The token's issuer; for a SPIFFE identity <c>spiffe://&lt;trust domain&gt;</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>The token's subject.</summary>
    public required string Subject { get; init; }

    /// <summary>The workload's name.</summary>
    public required string Workload { get; init; }

    /// <summary>The one running instance, where its issuer names one.</summary>
    public string? Instance { get; init; }

    /// <summary>The SPIFFE ID.</summary>
    public string? SpiffeId { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>The claims that its issuer's settings list.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Claims { get; init; }
}

/// <summary>A process's owner.</summary>
/// <param name="Issuer">The person's issuer.</param>
/// <param name="Subject">The person's subject at that issuer.</param>
/// <param name="Contact">How to reach them.</param>
public sealed record OwnerResponse(string Issuer, string Subject, string Contact);

/// <summary>What names a secret in Vault and in the backend; none of it is secret.</summary>
public sealed record VaultHandlesResponse
{
    /// <summary>Vault's lease id.</summary>
    public string? LeaseId { get; init; }

    /// <summary>The accessor of the token that the secret hangs on.</summary>
    public string? Accessor { get; init; }

    /// <summary>The database user or the certificate's serial number.</summary>
    public string? PublicName { get; init; }
}
