using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Readiness;

/// <summary>
/// Whether anything would be issued now, whoever asks: <see cref="Refusal"/>, then <see cref="HoldAsync"/>. The exchange,
/// a renewal and <c>/health/issuing</c> ask this one, so that health never says ok while every request is refused.
/// </summary>
public sealed class IssuingReadiness(
    PolicyControl policy,
    ISecretIssuer issuer,
    VaultCluster cluster,
    AnchorCheck anchor,
    IBrokerStore store,
    MissingRecords missing,
    RevocationPace pace,
    TimeProvider time
)
{
    private static readonly TimeSpan MaxClockDifference = TimeSpan.FromSeconds(2);

    private static readonly Refusal RevokesOnly = new(
        RefusalCode.RevokesOnly,
        "The broker only revokes: its store takes nothing new, and nothing is issued without its record. The broker's log "
            + "says why.",
        TimeSpan.FromSeconds(5)
    );

    private static readonly Refusal RevocationFirst = new(
        RefusalCode.RevocationFirst,
        "What has ended at this credential's backend waits to be revoked there, and comes first. Ask again in a moment.",
        TimeSpan.FromSeconds(1)
    );

    /// <summary>What keeps everything from being issued, holds aside; null where nothing does.</summary>
    public Refusal? Refusal => Policy ?? Store ?? Vault ?? Anchor ?? Clock;

    /// <summary>
    /// Why a hold refuses what was decided; with null, why one refuses whatever is decided. A hold that cannot be read
    /// reaches everything.
    /// </summary>
    public async ValueTask<Refusal?> HoldAsync(
        DecisionRecord? decision,
        string leaseId,
        CancellationToken cancellationToken
    ) =>
        store.Position.Holds > 0 && await store.Holds.IsHeldAsync(decision, leaseId, cancellationToken)
            ? GuardRefusals.Of(GuardFailure.Held)
            : null;

    /// <summary>
    /// Why nothing is issued at the backend just now, after a short wait where others are to be revoked there first; null
    /// where it may be. Of one backend alone, and so no part of <see cref="Refusal"/>.
    /// </summary>
    public async ValueTask<Refusal?> PaceAsync(
        string backend,
        WorkloadIdentity identity,
        CancellationToken cancellationToken
    ) => await pace.AwaitAsync(backend, identity, cancellationToken) ? null : RevocationFirst;

    /// <summary>Why no decision can be made.</summary>
    public Refusal? Policy => policy.Current is null ? PolicyControl.NotInForce : null;

    /// <summary>Why the store is not to be given anything new. Where its file lies is for the log.</summary>
    public Refusal? Store => store.Fault is null ? Unrecorded : RevokesOnly;

    /// <summary>
    /// Why nothing new is given to the store even where it takes it: there are orders and holds that the store, which
    /// refuses what they reach, does not know yet.
    /// </summary>
    public Refusal? Unrecorded => missing.Any ? RevokesOnly : null;

    /// <summary>
    /// Why what is under way is not delivered: it is not on record, or the store in which it is may know less than before.
    /// </summary>
    public Refusal? Undelivered => Unrecorded ?? Anchor;

    /// <summary>Why the store is not relied on: it is behind its anchor, or nobody knows yet.</summary>
    public Refusal? Anchor => anchor.Refusal;

    /// <summary>Why Vault is not asked for secrets.</summary>
    public Refusal? Vault =>
        cluster.Refusal
        ?? (
            issuer.Status is { CanIssue: false, Refusal: var refusal }
                ? refusal ?? new(RefusalCode.IssuingPaused, "Issuing is paused.", TimeSpan.FromSeconds(30))
                : null
        );

    /// <summary>
    /// Why the clock cannot be relied on. Ends are counted by the store's clock and enforced by Vault's: where the
    /// broker's own clock lies behind what the store has seen, or has jumped ahead and is not believed yet, times would be
    /// promised that are not kept.
    /// </summary>
    public Refusal? Clock
    {
        get
        {
            var ahead = store.Position.UtcNow - time.GetUtcNow();
            return ahead.Duration() <= MaxClockDifference
                ? null
                : new(
                    RefusalCode.ClockDiffers,
                    $"The broker's clock is {(ahead > TimeSpan.Zero ? "behind" : "ahead of")} its store's, so nothing "
                        + "is issued. An operator has to set it right, or to say that it is right.",
                    TimeSpan.FromSeconds(30)
                );
        }
    }
}
