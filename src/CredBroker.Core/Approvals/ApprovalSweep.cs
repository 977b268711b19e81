using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Closes the questions whose time is over, and takes back those that a revocation order reaches or that a new policy
/// would ask otherwise: neither could be redeemed, and nobody is to be disturbed by them. Every broker does it; the
/// guards let one of them.
/// </summary>
public sealed class ApprovalSweep(IBrokerStore store, PolicyControl policy, ApprovalNews news)
{
    private const int AtOnce = 100;
    private const int DroppedAtOnce = 1_000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);
    private static readonly TimeSpan DropInterval = TimeSpan.FromMinutes(1);
    private static readonly AuditActor Actor = AuditActor.Broker("approval-sweep");

    // When closed ones were last dropped, by the store's clock.
    private DateTimeOffset _dropped;

    // What the last pass that came to its end had seen.
    private (long Fence, long PolicyVersion) _seen;

    /// <summary>One pass. Called each second.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        foreach (var id in await store.Approvals.FindDueAsync(AtOnce, cancellationToken))
        {
            if (await store.Approvals.FindAsync(id, cancellationToken) is { } due)
            {
                await CommitAsync(
                    new StateChange.ApprovalExpired
                    {
                        ApprovalId = id,
                        Event = Event(new ApprovalExpired { ApprovalId = id }, due, null),
                    },
                    cancellationToken
                );
            }
        }

        var now = store.Position.UtcNow;
        if (now - _dropped >= DropInterval)
        {
            await store.CommitAsync(
                new StateChange.All([
                    new StateChange.ApprovalsDropped
                    {
                        ClosedBefore = now - Kept,
                        Limit = DroppedAtOnce,
                        Event = null,
                    },
                ]),
                cancellationToken
            );
            _dropped = now;
        }

        var (fence, active) = (store.Position.Fence, policy.Current);
        if (active is null || _seen == (fence, active.Version))
        {
            return;
        }

        foreach (var approval in await store.Approvals.ListOpenAsync(cancellationToken))
        {
            if (approval.Fence < fence)
            {
                await VoidAsync(approval, "revoked", onlyIfFenced: true, cancellationToken);
            }

            if (approval.Decision.PolicyVersion < active.Version && !IsAskedStill(approval, active.Set))
            {
                await VoidAsync(approval, "policy-change", onlyIfFenced: false, cancellationToken);
            }
        }

        _seen = (fence, active.Version);
    }

    /// <summary>Whether the newest policy asks the same people for the same: then what they said holds.</summary>
    private static bool IsAskedStill(Approval approval, PolicySet policy)
    {
        var asked = approval.Decision;
        var now = asked with { Verdict = policy.Evaluate(asked.Identity, asked.Task, asked.Request) };
        return now.Verdict.Effect == PolicyEffect.Challenge
            && ApprovalDigest.Of(now.Identity, now.Task, now.Request, now.Verdict) == approval.Digest;
    }

    private ValueTask VoidAsync(
        Approval approval,
        string cause,
        bool onlyIfFenced,
        CancellationToken cancellationToken
    ) =>
        CommitAsync(
            new StateChange.ApprovalVoided
            {
                ApprovalId = approval.Id,
                Cause = cause,
                OnlyIfFenced = onlyIfFenced,
                Event = Event(new ApprovalVoided { ApprovalId = approval.Id }, approval, cause),
            },
            cancellationToken
        );

    private async ValueTask CommitAsync(StateChange change, CancellationToken cancellationToken)
    {
        if (await store.CommitAsync(change, cancellationToken) is CommitOutcome.Committed)
        {
            news.Raise();
        }
    }

    private static AuditEvent Event(AuditFact what, Approval approval, string? reason) =>
        ApprovalEvents.Of(what, approval.Decision, Actor, traceId: null) with
        {
            Reason = reason,
        };
}
