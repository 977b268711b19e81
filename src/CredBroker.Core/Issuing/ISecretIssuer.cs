using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>
/// Seam: makes secrets and takes them back (Vault, OpenBao). Expected failures are values. Which call may be retried is
/// decided per operation inside: login, lookup and revocation may; making a token or a secret never.
/// </summary>
public interface ISecretIssuer
{
    /// <summary>
    /// Whether issuing is safe now: reachable, unsealed, own token long enough, a recent proof that revoking works. No
    /// I/O.
    /// </summary>
    IssuerStatus Status { get; }

    /// <summary>
    /// Makes a child token, revokes it and confirms: the proof that <see cref="Status"/> rests on. Also renews or
    /// re-acquires the broker's own token.
    /// </summary>
    ValueTask<IssuerStatus> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Step 5: the child token that the secret will hang on; null token where the engine needs none (KV).
    /// </summary>
    ValueTask<PrepareOutcome> PrepareAsync(IssuancePlan plan, CancellationToken cancellationToken);

    /// <summary>Step 7: the secret. Never retried; an unknown outcome says so.</summary>
    ValueTask<MintOutcome> MintAsync(IssuancePlan plan, ChildToken? child, CancellationToken cancellationToken);

    /// <summary>
    /// Extends the child token (and a token credential), so that the secret lives <paramref name="ttl"/> from now on.
    /// </summary>
    ValueTask<RenewOutcome> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancellationToken);

    /// <summary>
    /// Steps 2 and 3 of a revocation: revokes the Vault lease with <c>sync</c>, then the accessor, and says whether
    /// Vault confirmed. Idempotent.
    /// </summary>
    ValueTask<RevokeOutcome> RevokeAsync(Lease lease, CancellationToken cancellationToken);

    /// <summary>Revokes a child token by its accessor; proves nothing about a mint that is under way.</summary>
    ValueTask<RevokeOutcome> RevokeAccessorAsync(string accessor, CancellationToken cancellationToken);

    /// <summary>The ids of the Vault leases under the role path of this entry, for the sweep.</summary>
    ValueTask<LeaseListing> ListLeasesAsync(CatalogueEntry entry, CancellationToken cancellationToken);

    /// <summary>One Vault lease; a list of thousands is looked up only where the store does not know the id.</summary>
    ValueTask<LeaseLookup> LookUpLeaseAsync(string vaultLeaseId, CancellationToken cancellationToken);

    /// <summary>Revokes a Vault lease that no lease of the store knows, with <c>sync</c>.</summary>
    ValueTask<RevokeOutcome> RevokeStrayAsync(string vaultLeaseId, CancellationToken cancellationToken);
}

/// <summary>Everything an issuance needs to know.</summary>
public sealed record IssuancePlan
{
    /// <summary>
    /// The lease it is for; stands in the child token's name and metadata, and through it in Vault's audit log and the
    /// database user's name.
    /// </summary>
    public required string LeaseId { get; init; }

    /// <summary>Who it is for.</summary>
    public required WorkloadIdentity Identity { get; init; }

    /// <summary>The policy's name for the agent.</summary>
    public required string Agent { get; init; }

    /// <summary>The task it is for.</summary>
    public required AgentTask Task { get; init; }

    /// <summary>What was granted.</summary>
    public required Grant Grant { get; init; }

    /// <summary>The agent's CSR: there exactly if the credential takes one, which the exchange has seen to.</summary>
    public CertificateSigningRequest? Csr { get; init; }

    /// <summary>
    /// The newest committed audit record, which the child token's metadata anchors in Vault's own log.
    /// </summary>
    public required AuditPosition Anchor { get; init; }
}

/// <summary>The token that one secret hangs on. Nobody but the broker ever holds it.</summary>
/// <param name="Token">The token.</param>
/// <param name="Accessor">The handle that revokes it.</param>
/// <param name="EndsAt">When it ends.</param>
public sealed record ChildToken(SecretText Token, string Accessor, DateTimeOffset EndsAt);

/// <summary>Whether secrets can be issued now.</summary>
/// <param name="CanIssue">Whether they can.</param>
/// <param name="Refusal">Why not (a CB4xxx), where they cannot.</param>
/// <param name="ProvenAt">When revoking was last proven.</param>
public sealed record IssuerStatus(bool CanIssue, Refusal? Refusal, DateTimeOffset? ProvenAt);

/// <summary>A lease as Vault shows it.</summary>
/// <param name="VaultLeaseId">Its id.</param>
/// <param name="IssuedAt">Vault's <c>issue_time</c>: the end of the mint.</param>
/// <param name="Revoking">Whether Vault is revoking it already (<c>ttl</c> 0).</param>
public sealed record VaultLease(string VaultLeaseId, DateTimeOffset IssuedAt, bool Revoking);

/// <summary>What Vault lists under a role path.</summary>
public abstract record LeaseListing
{
    private LeaseListing() { }

    /// <summary>All of its leases.</summary>
    public sealed record Listed(IReadOnlyList<string> VaultLeaseIds) : LeaseListing;

    /// <summary>
    /// The path is not this installation's alone, or has no leases that could be told apart: nothing can be proven from
    /// it.
    /// </summary>
    public sealed record NotOurs : LeaseListing;

    /// <summary>They could not be listed now.</summary>
    public sealed record Failed(string Error) : LeaseListing;
}

/// <summary>What Vault says about one lease.</summary>
public abstract record LeaseLookup
{
    private LeaseLookup() { }

    /// <summary>It is there.</summary>
    public sealed record Found(VaultLease Lease) : LeaseLookup;

    /// <summary>Vault does not know it.</summary>
    public sealed record Gone : LeaseLookup;

    /// <summary>It could not be looked up now.</summary>
    public sealed record Failed(string Error) : LeaseLookup;
}

/// <summary>The outcome of step 5.</summary>
public abstract record PrepareOutcome
{
    private PrepareOutcome() { }

    /// <summary>The child token, or null where the engine needs none.</summary>
    public sealed record Prepared(ChildToken? Child) : PrepareOutcome;

    /// <summary>
    /// No token that could matter exists (a token whose making is unknown has no holder and ends with its TTL).
    /// </summary>
    public sealed record Refused(Refusal Refusal) : PrepareOutcome;
}

/// <summary>The outcome of step 7.</summary>
public abstract record MintOutcome
{
    private MintOutcome() { }

    /// <summary>The secret was made and is what was asked for.</summary>
    /// <param name="Secret">The secret.</param>
    /// <param name="Handles">What revokes it.</param>
    /// <param name="EndsAt">When Vault or the certificate ends it, if that is known.</param>
    /// <param name="GraceUntil">Until when the backend may accept it with Vault unreachable.</param>
    public sealed record Minted(
        IssuedSecret Secret,
        SecretHandles Handles,
        DateTimeOffset? EndsAt,
        DateTimeOffset? GraceUntil
    ) : MintOutcome;

    /// <summary>Vault answered that no secret was made.</summary>
    public sealed record Refused(Refusal Refusal) : MintOutcome;

    /// <summary>A secret was made that is not what was asked for; it must be revoked and not delivered.</summary>
    public sealed record Wrong(Refusal Refusal, SecretHandles Handles) : MintOutcome;

    /// <summary>It is not known whether a secret was made.</summary>
    public sealed record Unknown(Refusal Refusal) : MintOutcome;
}

/// <summary>The outcome of a renewal.</summary>
public abstract record RenewOutcome
{
    private RenewOutcome() { }

    /// <summary>The secret lives until then.</summary>
    public sealed record Renewed(DateTimeOffset EndsAt) : RenewOutcome;

    /// <summary>It was not renewed.</summary>
    public sealed record Refused(Refusal Refusal) : RenewOutcome;
}

/// <summary>The outcome of a revocation.</summary>
public abstract record RevokeOutcome
{
    private RevokeOutcome() { }

    /// <summary>Vault confirmed that it is gone (a lease that Vault does not know counts).</summary>
    public sealed record Confirmed : RevokeOutcome;

    /// <summary>
    /// The token can mint nothing more, but absence is not proven: no Vault lease id is known. A sweep decides.
    /// </summary>
    public sealed record Unproven : RevokeOutcome;

    /// <summary>It failed; <paramref name="Error"/> holds Vault's or the backend's words, without secrets.</summary>
    public sealed record Failed(string Error) : RevokeOutcome;
}
