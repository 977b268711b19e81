using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Leases;

/// <summary>
/// Revokes one lease, in three steps: <b>claim</b> (the lease is <c>revoking</c>, and this worker's for a while),
/// <b>at Vault</b> (its Vault lease is revoked with <c>sync</c>, then the accessor), <b>settle</b> (<c>revoked</c>, or
/// <c>failed</c> with the next attempt). Nothing here is cancelled by a client, and every way out is a state from which
/// a job goes on.
/// <code>
///   pending ─┐  claim                     Vault confirms
///   active ──┴──────────► revoking ──────────────────────────► revoked
///      │                   │  ▲  │
///      │                   │  │  └─ accessor gone, nothing proven: revoking, until absence is proven ► revoked
///      │       Vault fails ▼  │ claim, when the next attempt is due
///      │                  failed
///      │  nothing can revoke it (a KV value)
///      └───────────────────────────────────────────────────────► ended
/// </code>
/// Who calls what: <c>RevokeAsync</c> carries one revocation out; <c>MarkAsync</c> only claims, for a job to carry out;
/// <see cref="AbandonAsync"/> and <see cref="RevokeLateAsync"/> end an issuance that went wrong; <c>KillAsync</c> ends a
/// secret while the store does not accept; <see cref="ConfirmAbsentAsync"/> and
/// <c>FailAsync</c> settle what a sweep found out.
/// </summary>
public sealed partial class LeaseRevoker(
    ISecretIssuer issuer,
    IBrokerStore store,
    VaultCluster cluster,
    RevocationBulkheads bulkheads,
    AbsenceWait wait,
    LeaseOptions options,
    TimeProvider time,
    ILogger<LeaseRevoker> logger
)
{
    /// <summary>What a token may live longer than its credential says.</summary>
    private static readonly TimeSpan TokenMargin = TimeSpan.FromSeconds(30);

    /// <summary>How soon it is looked again whether somebody has made it possible to ask the backend.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromHours(1);

    /// <summary>
    /// Revokes the lease if its state is one of <paramref name="onlyFrom"/> (empty: any that is not over) and no other
    /// worker has a running claim. Returns the lease as it stands afterwards.
    /// </summary>
    /// <param name="lease">The lease as it was read.</param>
    /// <param name="reason">Why, and who asks.</param>
    /// <param name="onlyFrom">The states it may come from.</param>
    public async ValueTask<Lease> RevokeAsync(Lease lease, RevocationReason reason, IReadOnlyList<LeaseState> onlyFrom)
    {
        var (_, settled) = await BeginAsync(lease, reason, onlyFrom);
        return await settled;
    }

    /// <summary>
    /// The same for a job, which finds out by itself what is left to do, and gives its turn back as soon as Vault has
    /// answered. What is hurried while it waits for a place at its backend is turned away, to be begun in a more urgent
    /// lane.
    /// </summary>
    public async ValueTask RevokeAsync(
        Lease lease,
        RevocationReason reason,
        IReadOnlyList<LeaseState> onlyFrom,
        Bulkhead.Pass turn,
        CancellationToken hurried
    )
    {
        if (lease.Reach == RevocationReach.None)
        {
            await CommitEndAsync(lease, reason);
        }
        else if (await ClaimAsync(lease, reason, onlyFrom) is (true, var claimed))
        {
            await CarryOutAsync(claimed, turn, hurried);
        }
    }

    /// <summary>
    /// The same, in two: returns once the claim is committed, with the lease as it stands then, and with what it comes
    /// to. So a caller that cannot wait for Vault says nothing that is not on record.
    /// </summary>
    public async ValueTask<(Lease Claimed, Task<Lease> Settled)> BeginAsync(
        Lease lease,
        RevocationReason reason,
        IReadOnlyList<LeaseState> onlyFrom
    )
    {
        if (lease.Reach == RevocationReach.None)
        {
            var ended = await EndAsync(lease, reason);
            return (ended, Task.FromResult(ended));
        }

        var (isOurs, claimed) = await ClaimAsync(lease, reason, onlyFrom);
        return (claimed, isOurs ? SettleAsync() : Task.FromResult(claimed));

        async Task<Lease> SettleAsync()
        {
            await CarryOutAsync(claimed, null, CancellationToken.None);
            return await store.Leases.FindAsync(claimed.Id, CancellationToken.None) ?? claimed;
        }
    }

    private async ValueTask<(bool IsOurs, Lease Lease)> ClaimAsync(
        Lease lease,
        RevocationReason reason,
        IReadOnlyList<LeaseState> onlyFrom
    )
    {
        // 1. Claim. Others keep off until it lapses; no lock is held over the calls to Vault.
        var worker = Ids.New(time);
        var outcome = await store.CommitAsync(Claim(lease, reason, worker, onlyFrom), CancellationToken.None);
        return (
            outcome is not CommitOutcome.GuardFailed,
            await store.Leases.FindAsync(lease.Id, CancellationToken.None) ?? lease
        );
    }

    private async Task CarryOutAsync(Lease claimed, Bulkhead.Pass? turn, CancellationToken hurried)
    {
        // 2. At Vault. The handles are read after the claim, because an exchange may just have stored them.
        Failpoint.Pass("revocation-claimed");
        var outcome = IsOfAnotherVault
            ? new RevokeOutcome.Failed(
                "Not tried: a person has accepted another Vault, or another place in it, at another broker."
            )
            {
                IsNotTried = true,
            }
            : await AtVaultAsync(claimed, hurried);
        Failpoint.Pass("revocation-at-vault");
        // What comes now is the store's.
        turn?.Dispose();

        // 3. Settle: what came of it.
        switch (outcome)
        {
            case RevokeOutcome.Confirmed:
                await ConfirmAsync(claimed);
                break;
            case RevokeOutcome.Unproven:
                await CommitAccessorRevokedAsync(claimed);
                break;
            case RevokeOutcome.Failed failed:
                await FailAsync(claimed, failed);
                break;
        }

        Failpoint.Pass("revocation-settled");
    }

    /// <summary>Marks the lease as revoking, for a job to take. Whether it was taken.</summary>
    public async ValueTask<bool> MarkAsync(Lease lease, RevocationReason reason, IReadOnlyList<LeaseState> onlyFrom) =>
        lease.Reach == RevocationReach.None
            ? await CommitEndAsync(lease, reason) is CommitOutcome.Committed
            : await store.CommitAsync(Claim(lease, reason, null, onlyFrom), CancellationToken.None)
                is CommitOutcome.Committed;

    /// <summary>
    /// Whether this broker believes another Vault, or is set to another place in it, than the store says by now: it has
    /// none of what was made since, so that not to know it proves nothing. Of a claimed lease that is known for certain: it
    /// was opened before its claim, by which the store has told of what was accepted before that.
    /// </summary>
    private bool IsOfAnotherVault =>
        cluster.IsElsewhere || store.Position.VaultChangedAt != cluster.Accepted?.ChangedAt;

    /// <summary>Has the backend itself remove what may have been made for the lease.</summary>
    internal ValueTask<RevokeOutcome> ReapAsync(Lease lease) =>
        AtBackendAsync(lease.Grant.Entry.Backend, lease.Lane, stopping => issuer.ReapAsync(lease, stopping));

    /// <summary>At Vault. An accessor alone is Vault's own matter, and needs no place at the backend.</summary>
    private async ValueTask<RevokeOutcome> AtVaultAsync(Lease lease, CancellationToken hurried = default)
    {
        if (lease.VaultLeaseId is not null)
        {
            return await AtBackendAsync(
                lease.Grant.Entry.Backend,
                lease.Lane,
                stopping => issuer.RevokeAsync(lease, stopping),
                hurried
            );
        }

        using var timeout = new CancellationTokenSource(options.RevocationTimeout, time);
        return await issuer.RevokeAsync(lease, timeout.Token);
    }

    /// <summary>
    /// With a place at the backend: few calls are open to each, and none for a while to one that does not
    /// answer.
    /// </summary>
    private async ValueTask<RevokeOutcome> AtBackendAsync(
        string backend,
        RevocationLane lane,
        Func<CancellationToken, ValueTask<RevokeOutcome>> act,
        CancellationToken hurried = default
    )
    {
        // The wait has a limit of its own, so that the call has all of its time; both are over before a claim lapses.
        var left = options.ClaimTime - options.RevocationTimeout;
        using var patience = new CancellationTokenSource(
            left < options.RevocationTimeout ? left : options.RevocationTimeout,
            time
        );
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, hurried);
        var pass = await bulkheads.Of(backend).EnterAsync((int)lane, waiting.Token);
        if (pass is null)
        {
            return new RevokeOutcome.Failed(
                "Not tried: its backend has not answered for a while and is given a pause, or others were first there."
            )
            {
                IsNotTried = true,
                WasTurnedAway = true,
            };
        }

        // What comes after is the store's, and takes no place of the next one's.
        using (pass)
        {
            using var timeout = new CancellationTokenSource(options.RevocationTimeout, time);
            var outcome = await act(timeout.Token);
            pass.Say(answered: outcome is not RevokeOutcome.Failed { IsUnanswered: true });
            return outcome;
        }
    }

    private async ValueTask<Lease> EndAsync(Lease lease, RevocationReason reason)
    {
        await CommitEndAsync(lease, reason);
        return await store.Leases.FindAsync(lease.Id, CancellationToken.None) ?? lease;
    }

    private ValueTask<CommitOutcome> CommitEndAsync(Lease lease, RevocationReason reason) =>
        store.CommitAsync(
            new StateChange.LeaseEnded
            {
                LeaseId = lease.Id,
                Cause = reason.Cause,
                RequestedBy = reason.RequestedBy,
                RevocationId = reason.RevocationId,
                Event = Event(
                    new LeaseEnded { StillValid = StillValid.Of(lease)?.What ?? "" },
                    lease,
                    reason.Actor
                ) with
                {
                    Reason = reason.CauseText,
                    RevocationId = reason.RevocationId,
                    TraceId = reason.TraceId,
                },
            },
            CancellationToken.None
        );

    private StateChange.RevocationClaimed Claim(
        Lease lease,
        RevocationReason reason,
        string? worker,
        IReadOnlyList<LeaseState> onlyFrom
    ) => Claim(lease.Id, Event(Requested(reason), lease, reason.Actor), reason, worker, onlyFrom);

    private StateChange.RevocationClaimed Claim(
        string leaseId,
        AuditEvent told,
        RevocationReason reason,
        string? worker,
        IReadOnlyList<LeaseState> onlyFrom
    ) =>
        new()
        {
            LeaseId = leaseId,
            Cause = reason.Cause,
            RequestedBy = reason.RequestedBy,
            RevocationId = reason.RevocationId,
            ClaimedBy = worker,
            ClaimedUntil = worker is null ? null : store.Position.Counted + options.ClaimTime,
            OnlyFrom = onlyFrom,
            Event = told with
            {
                Reason = reason.CauseText,
                RevocationId = reason.RevocationId,
                TraceId = reason.TraceId,
            },
        };

    private static RevocationRequested Requested(RevocationReason reason) =>
        new() { Rule = reason.Rule, Code = reason.Code };

    private static RevocationReason Recovery(string step) =>
        new(RevocationCause.Recovery, AuditActor.Broker(step), null, null);

    /// <summary>The lease with the handles of the secret that was made for it.</summary>
    internal static Lease With(Lease lease, SecretHandles handles) =>
        lease with
        {
            VaultLeaseId = handles.VaultLeaseId,
            CredentialAccessor = handles.CredentialAccessor,
            PublicName = handles.PublicName,
        };

    internal static AuditEvent Event(AuditFact what, Lease lease, AuditActor actor) =>
        new()
        {
            What = what,
            Actor = actor,
            LeaseId = lease.Id,
            DecisionId = lease.Decision.Id,
            Process = lease.Decision.Task.Process,
            TaskId = lease.Decision.Task.Id,
            Holder = DecisionFacts.Holder(lease.Decision),
            Credential = lease.Decision.Request.Credential,
        };

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Attempt {Attempt} to revoke lease {LeaseId} failed and will be repeated: {Error}"
    )]
    private static partial void LogFailed(ILogger logger, string leaseId, int attempt, string error);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The secret of lease {LeaseId} could not be revoked at once while the store takes nothing: {Error}. "
            + "It is tried again."
    )]
    private static partial void LogNotKilled(ILogger logger, string leaseId, string error);
}
