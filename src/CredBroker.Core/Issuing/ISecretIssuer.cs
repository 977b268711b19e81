using CredBroker.Core.Policy;
using CredBroker.Core.State;

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
    /// Prepare: the child token that the secret will hang on; null token where the engine needs none (KV).
    /// </summary>
    ValueTask<PrepareOutcome> PrepareAsync(IssuancePlan plan, CancellationToken cancellationToken);

    /// <summary>
    /// Mint: the secret. Never retried; an unknown outcome says so. The token ends the call itself, and a call that ends
    /// before Vault has answered can leave a secret of which Vault knows nothing: it is cancelled no earlier than
    /// Vault's own limit. Whoever waits is answered sooner, with <see cref="MintOutcome.Unknown.Late"/>.
    /// </summary>
    ValueTask<MintOutcome> MintAsync(IssuancePlan plan, ChildToken? child, CancellationToken cancellationToken);

    /// <summary>
    /// Extends the child token (and a token credential), so that the secret lives <paramref name="ttl"/> from now on.
    /// </summary>
    ValueTask<RenewOutcome> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancellationToken);

    /// <summary>
    /// At Vault, a step of a revocation: revokes the Vault lease with <c>sync</c>, then the accessor, and says whether
    /// Vault confirmed. Idempotent.
    /// </summary>
    ValueTask<RevokeOutcome> RevokeAsync(Lease lease, CancellationToken cancellationToken);

    /// <summary>
    /// Has the backend itself remove whatever was made for this lease, known to Vault or not: the one proof that nothing
    /// is left where Vault has no lease. <see cref="RevokeOutcome.Confirmed"/> only after the backend has answered;
    /// <see cref="RevokeOutcome.Unproven"/> where nobody can ask it. Not while a mint may be under way.
    /// </summary>
    ValueTask<RevokeOutcome> ReapAsync(Lease lease, CancellationToken cancellationToken);

    /// <summary>Revokes a child token by its accessor; proves nothing about a mint that is under way.</summary>
    ValueTask<RevokeOutcome> RevokeAccessorAsync(string accessor, CancellationToken cancellationToken);

    /// <summary>The ids of the Vault leases under the role path of this entry, for the sweep.</summary>
    ValueTask<LeaseListing> ListLeasesAsync(CatalogueEntry entry, CancellationToken cancellationToken);

    /// <summary>
    /// Roles of this installation that Vault has leases of, and that none of these entries names: by Vault's lists, as
    /// far as this login may read them. Never another installation's.
    /// </summary>
    ValueTask<RoleListing> FindRolesAsync(IReadOnlyList<CatalogueEntry> known, CancellationToken cancellationToken);

    /// <summary>One Vault lease; a list of thousands is looked up only where the store does not know the id.</summary>
    ValueTask<LeaseLookup> LookUpLeaseAsync(string vaultLeaseId, CancellationToken cancellationToken);

    /// <summary>Revokes a Vault lease that no lease of the store knows, with <c>sync</c>.</summary>
    ValueTask<RevokeOutcome> RevokeStrayAsync(string vaultLeaseId, CancellationToken cancellationToken);
}
