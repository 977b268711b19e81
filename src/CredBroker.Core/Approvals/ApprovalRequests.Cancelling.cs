using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <content>Who asked takes the question back.</content>
public sealed partial class ApprovalRequests
{
    private static readonly Refusal Over = new(
        RefusalCode.ApprovalOver,
        "It is decided already, or its time is over: there is nothing to take back."
    );

    private const string Cancelled = "cancelled";

    // Who asks and takes back without end would have people told of each.
    private readonly CallerBudget _cancels = new(10, time);

    /// <summary>The caller takes its question back, before people have decided.</summary>
    public async ValueTask<Checked<Approval>> CancelAsync(
        IdentityProof proof,
        string approvalId,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var verification = await callers.VerifyAsync(proof, call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return ((VerificationOutcome.Refused)verification).Refusal;
        }

        if (await FindOwnAsync(approvalId, Approval.CallerKeyOf(identity), cancellationToken) is not { } approval)
        {
            return NotFound;
        }

        if (_cancels.Take(identity) is { } wait)
        {
            return new Refusal(
                RefusalCode.Overloaded,
                "Too many requests were taken back within a minute; let this one stand.",
                wait
            );
        }

        var voided = Event(new ApprovalVoided { ApprovalId = approval.Id }, approval.Decision, call) with
        {
            Actor = AuditActor.Workload(identity),
            Reason = Cancelled,
        };
        var outcome = await store.CommitAsync(
            new StateChange.ApprovalVoided
            {
                ApprovalId = approval.Id,
                Cause = Cancelled,
                OnlyIfPending = true,
                Event = voided,
            },
            CancellationToken.None
        );
        if (outcome is not CommitOutcome.Committed { At: var at })
        {
            return Over;
        }

        news.Raise();
        return approval with
        {
            State = ApprovalState.Voided,
            Reason = Cancelled,
            ClosedAt = at,
            ClosedBy = voided.Actor.ToString(),
        };
    }
}
