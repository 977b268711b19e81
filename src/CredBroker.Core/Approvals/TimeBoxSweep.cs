using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Puts the end of time boxes on record: of those whose time is over, and of those whose approval a new policy would ask
/// for otherwise, also where the process's owner is gone. Nothing could be issued in either. What else ends one ends it by
/// itself, within its own change. Every broker does it; the guard lets one of them.
/// </summary>
public sealed class TimeBoxSweep(IBrokerStore store, PolicyControl policy)
{
    private const int AtOnce = 100;
    private const int Page = 500;
    private static readonly AuditActor Actor = AuditActor.Broker("time-box-sweep");

    // What the last pass that came to its end had tried them on.
    private ActivePolicy? _seen;

    /// <summary>One pass. Called each second.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        foreach (var id in await store.TimeBoxes.FindDueAsync(AtOnce, cancellationToken))
        {
            await EndAsync(
                id,
                await store.Approvals.FindAsync(id, cancellationToken),
                "expired",
                onlyIfOver: true,
                cancellationToken
            );
        }

        if (policy.Current is not { } active || ReferenceEquals(_seen, active) || !policy.KnowsOwners(active))
        {
            return;
        }

        long? next = 0;
        while (next is { } after)
        {
            (var open, next) = await store.TimeBoxes.ListOpenAsync(after, Page, cancellationToken);
            foreach (var timeBox in open)
            {
                // Never by an older version than it was asked under.
                if (
                    timeBox.Approval.Decision.PolicyVersion <= active.Version
                    && ApprovalFate.Of(timeBox.Approval, active.Set) is not null
                )
                {
                    await EndAsync(
                        timeBox.Approval.Id,
                        timeBox.Approval,
                        "policy-change",
                        onlyIfOver: false,
                        cancellationToken
                    );
                }
            }
        }

        _seen = active;
    }

    private async ValueTask EndAsync(
        string approvalId,
        Approval? approval,
        string cause,
        bool onlyIfOver,
        CancellationToken cancellationToken
    )
    {
        var ended = new TimeBoxEnded { ApprovalId = approvalId };
        await store.CommitAsync(
            new StateChange.TimeBoxEnded
            {
                ApprovalId = approvalId,
                Cause = cause,
                OnlyIfOver = onlyIfOver,
                Event = (
                    approval is null
                        ? new() { What = ended, Actor = Actor }
                        : ApprovalEvents.Of(ended, approval.Decision, Actor, traceId: null)
                ) with
                {
                    Reason = cause,
                },
            },
            cancellationToken
        );
    }
}
