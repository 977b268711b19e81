using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Closes the questions whose time is over, tells of those that ask more people by now, and takes back those that a revocation order reaches or that a new policy
/// would ask otherwise: neither could be redeemed, and nobody is to be disturbed by them. Every broker does it; the
/// guards let one of them.
/// </summary>
public sealed class ApprovalSweep(IBrokerStore store, PolicyControl policy, ApprovalNews news)
{
    private const int AtOnce = 100;
    private const int DroppedAtOnce = 1_000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);
    private const int ActivityDroppedAtOnce = 10_000;
    private static readonly TimeSpan ActivityKept = TimeSpan.FromHours(2);
    private static readonly TimeSpan FailedKept = TimeSpan.FromDays(7);
    private static readonly TimeSpan UnsentKept = TimeSpan.FromDays(1);
    private static readonly TimeSpan DropInterval = TimeSpan.FromMinutes(1);
    private static readonly AuditActor Actor = AuditActor.Broker("approval-sweep");

    // When closed ones were last dropped, by the store's clock.
    private DateTimeOffset _dropped;

    // What the last pass that came to its end had seen.
    private (long Fence, ActivePolicy? Policy) _seen;

    /// <summary>One pass. Called each second.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        foreach (var id in await store.Approvals.FindDueAsync(AtOnce, cancellationToken))
        {
            // A row that cannot be read any more ends, too: nobody could agree to it.
            var expired = new ApprovalExpired { ApprovalId = id };
            await CommitAsync(
                new StateChange.ApprovalExpired
                {
                    ApprovalId = id,
                    Event = await store.Approvals.FindAsync(id, cancellationToken) is { } due
                        ? Event(expired, due, null)
                        : new() { What = expired, Actor = Actor },
                },
                cancellationToken
            );
        }

        await EscalateAsync(cancellationToken);
        var now = store.Position.UtcNow;
        if ((now - _dropped).Duration() >= DropInterval)
        {
            // What is more than goes at once goes in the next pass: nobody makes it faster than it leaves.
            var isDone = await DropAsync(
                new StateChange.ApprovalsDropped
                {
                    ClosedBefore = now - Kept,
                    Limit = DroppedAtOnce,
                    Event = null,
                },
                DroppedAtOnce,
                cancellationToken
            );
            isDone &= await DropAsync(
                new StateChange.ActivityDropped
                {
                    Before = now - ActivityKept,
                    Limit = ActivityDroppedAtOnce,
                    Event = null,
                },
                ActivityDroppedAtOnce,
                cancellationToken
            );
            isDone &= await DropAsync(
                new StateChange.NotificationsDropped
                {
                    FailedBefore = now - FailedKept,
                    AskedBefore = now - UnsentKept,
                    Limit = DroppedAtOnce,
                    Event = null,
                },
                DroppedAtOnce,
                cancellationToken
            );
            _dropped = isDone ? now : _dropped;
        }

        var (fence, active) = (store.Position.Fence, policy.Current);
        if (active is null || (_seen.Fence == fence && ReferenceEquals(_seen.Policy, active)))
        {
            return;
        }

        var open = await store.Approvals.ListOpenAsync(cancellationToken);
        // A question that was asked since somebody came back is right, and is not judged by who was gone before.
        var judges = policy.KnowsOwners(active);
        // Whether an order reaches one is looked at here, once for all of them; only what it reaches is the writer's.
        var since = Math.Max(_seen.Fence, open.Select(approval => approval.Fence).DefaultIfEmpty(fence).Min());
        var orders = since < fence ? await store.Revocations.ListSelectorsAsync(since, cancellationToken) : [];
        foreach (var approval in open)
        {
            if (
                orders.Any(order =>
                    order.Fence > approval.Fence && order.Selector?.Matches(approval.Decision, "") is not false
                )
            )
            {
                await VoidAsync(approval, "revoked", onlyIfFenced: true, cancellationToken);
            }

            // Also at the same version, of which an owner may be gone; never by an older one than asked.
            if (
                judges
                && !ReferenceEquals(_seen.Policy, active)
                && approval.Decision.PolicyVersion <= active.Version
                && ApprovalFate.Of(approval, active.Set) is not null
            )
            {
                await VoidAsync(approval, "policy-change", onlyIfFenced: false, cancellationToken);
            }
        }

        _seen = (fence, judges ? active : _seen.Policy);
    }

    /// <summary>Tells of what asks more people by now, once each.</summary>
    private async ValueTask EscalateAsync(CancellationToken cancellationToken)
    {
        foreach (var approval in await store.Approvals.FindEscalatedAsync(cancellationToken))
        {
            var demands = approval.DueFor(store.Position.Counted);
            await CommitAsync(
                new StateChange.ApprovalEscalated
                {
                    ApprovalId = approval.Id,
                    Demands = demands,
                    Event = Event(
                        new ApprovalEscalated { ApprovalId = approval.Id, Demands = demands },
                        approval,
                        reason: null
                    ),
                },
                cancellationToken
            );
        }
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

    /// <summary>Whether nothing is left of what is too old.</summary>
    private async ValueTask<bool> DropAsync(StateChange drop, int limit, CancellationToken cancellationToken) =>
        await store.CommitAsync(drop, cancellationToken) is CommitOutcome.Committed { Number: var dropped }
        && dropped < limit;

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
