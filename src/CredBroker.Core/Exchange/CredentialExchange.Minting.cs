using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.State;

namespace CredBroker.Core.Exchange;

/// <content>Steps 6 to 8: from the call that mints to the secret in the reply, or to an end that is on record.</content>
public sealed partial class CredentialExchange
{
    private async ValueTask<ExchangeOutcome> MintAndActivateAsync(
        ExchangeCommand command,
        IssuancePlan plan,
        Lease lease,
        ChildToken? child
    )
    {
        // 6. Mint. The call ends when Vault itself would have ended it, and not before, however long the agent waits: a
        // mint that is cut off can leave a user at the backend of which Vault knows nothing.
        var limit = new CancellationTokenSource(options.VaultRequestLimit, time);
        var mint = await issuer.MintAsync(plan, child, limit.Token);
        if (mint is not MintOutcome.Unknown { Late: not null })
        {
            // Its timer would outlive the exchange by far, thousands of them at a time.
            limit.Dispose();
        }

        Failpoint.Pass("exchange-minted");
        try
        {
            return await SettleAsync(command, plan, lease, child, mint);
        }
        catch (StoreUnavailableException fault)
        {
            // What the row says is not known here: recovery or expiry finds it. Nothing is delivered, and what can be
            // killed is killed now.
            LogStoreLost(logger, lease.Id, fault);
            if (HandlesOf(mint) is { } handles)
            {
                await revoker.KillAsync(lease, handles);
            }

            return new ExchangeOutcome.Refused(StoreDown, lease.Decision.Id);
        }
    }

    private async ValueTask<ExchangeOutcome> SettleAsync(
        ExchangeCommand command,
        IssuancePlan plan,
        Lease lease,
        ChildToken? child,
        MintOutcome mint
    )
    {
        switch (mint)
        {
            case MintOutcome.Refused refused:
                await revoker.AbandonAsync(lease, refused.Refusal, nothingWasMade: true);
                return new ExchangeOutcome.Refused(refused.Refusal, lease.Decision.Id);
            case MintOutcome.Unknown unknown:
                await revoker.AbandonAsync(lease, unknown.Refusal, nothingWasMade: false);
                _ = EndLateAsync(lease, unknown.Late);
                return new ExchangeOutcome.Refused(unknown.Refusal, lease.Decision.Id);
            case MintOutcome.Wrong wrong:
                await revoker.RevokeLateAsync(lease, wrong.Handles, wrong.Refusal.CodeText);
                return new ExchangeOutcome.Refused(wrong.Refusal, lease.Decision.Id);
        }

        // 7. Activate, unless a revoker has taken the lease or its deadline has passed. The store refuses what an order
        // or a hold reaches; one that it did not take reaches everything.
        var minted = (MintOutcome.Minted)mint;
        if (readiness.Undelivered is { } undelivered)
        {
            await revoker.RevokeLateAsync(lease, minted.Handles, undelivered.CodeText);
            return new ExchangeOutcome.Refused(undelivered, lease.Decision.Id);
        }

        var position = store.Position;
        var now = position.UtcNow;
        // What was made slowly does not outlive its time box either.
        var boxEnd = lease.Decision.Approval?.TimeBox is { } timeBox
            ? timeBox.EndsAt - position.Counted
            : plan.Grant.Ttl;
        if (boxEnd <= TimeSpan.Zero)
        {
            await revoker.RevokeLateAsync(lease, minted.Handles, "time-box-over");
            return new ExchangeOutcome.Refused(GuardRefusals.Of(GuardFailure.ApprovalNotUsable), lease.Decision.Id);
        }

        var expiresAt = Earliest(
            now + (boxEnd < plan.Grant.Ttl ? boxEnd : plan.Grant.Ttl),
            child?.EndsAt - TimeSpan.FromSeconds(1),
            minted.EndsAt
        );
        var graceUntil = minted.GraceUntil > expiresAt ? minted.GraceUntil.Value : expiresAt;
        var outcome = await store.CommitAsync(
            new StateChange.LeaseActivated
            {
                LeaseId = lease.Id,
                Handles = minted.Handles,
                ExpiresAt = expiresAt,
                GraceUntil = graceUntil,
                Event = Event(
                    new LeaseIssued
                    {
                        VaultLease = minted.Handles.VaultLeaseId,
                        CredentialAccessor = minted.Handles.CredentialAccessor,
                        PublicName = minted.Handles.PublicName,
                        ExpiresAt = expiresAt,
                        GraceUntil = graceUntil,
                    },
                    command,
                    lease.Decision,
                    lease.Id
                ),
            },
            CancellationToken.None
        );
        Failpoint.Pass("exchange-activated");
        if (outcome is CommitOutcome.GuardFailed failed)
        {
            await revoker.RevokeLateAsync(lease, minted.Handles, failed.Reason.ToString());
            return new ExchangeOutcome.Refused(GuardRefusals.Of(failed.Reason), lease.Decision.Id);
        }

        // 8. Deliver: the secret leaves, once, unless an order or a hold has come that the store did not take.
        var issued = LeaseRevoker.With(lease, minted.Handles) with
        {
            State = LeaseState.Active,
            ActivatedAt = ((CommitOutcome.Committed)outcome).At,
            ExpiresAt = expiresAt,
            GraceUntil = graceUntil,
        };
        if (readiness.Undelivered is { } undeliveredNow)
        {
            await revoker.AbandonAsync(issued, undeliveredNow, nothingWasMade: false);
            return new ExchangeOutcome.Refused(undeliveredNow, lease.Decision.Id);
        }

        return new ExchangeOutcome.Issued(issued, minted.Secret);
    }

    /// <summary>
    /// What Vault makes after the agent was told that it is not known is revoked when the answer comes; should the
    /// process end before, recovery finds it.
    /// </summary>
    private async Task EndLateAsync(Lease lease, Task<MintOutcome>? late)
    {
        if (late is null || HandlesOf(await late) is not { } handles)
        {
            return;
        }

        try
        {
            await revoker.RevokeLateAsync(lease, handles, "late");
        }
        catch (StoreUnavailableException fault)
        {
            LogStoreLost(logger, lease.Id, fault);
            await revoker.KillAsync(lease, handles);
        }
    }

    private static DateTimeOffset Earliest(DateTimeOffset first, DateTimeOffset? second, DateTimeOffset? third)
    {
        var earliest = second < first ? second.Value : first;
        earliest = third < earliest ? third.Value : earliest;
        // The store keeps milliseconds, and the agent is promised the end that is on record.
        return earliest.AddTicks(-(earliest.Ticks % TimeSpan.TicksPerMillisecond));
    }

    private static SecretHandles? HandlesOf(MintOutcome mint) =>
        mint switch
        {
            MintOutcome.Minted minted => minted.Handles,
            MintOutcome.Wrong wrong => wrong.Handles,
            _ => null,
        };
}
