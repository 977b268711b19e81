using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;

namespace CredBroker.Core.Tasks;

/// <summary>What an agent may do with its own tasks. A task belongs to the workload whose lease first opened it.</summary>
public sealed class AgentTasks(
    CallerVerification callers,
    PolicyControl policy,
    IBrokerStore store,
    RevocationOrders revocations,
    TimeProvider time
)
{
    private const int ClosesPerMinute = 600;

    private readonly CallerBudget _closes = new(ClosesPerMinute, time);

    /// <summary>
    /// Closes a task: everything issued for it is revoked, and its id is never used again. Null means closed.
    /// </summary>
    public async ValueTask<Refusal?> CloseAsync(
        IdentityProof proof,
        string process,
        string taskId,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var verification = await callers.VerifyAsync(proof, call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return ((VerificationOutcome.Refused)verification).Refusal;
        }

        // Before its first lease a task has no owner in the store; only an agent that the process admits may then close
        // it. Each close is a commit and perhaps an order, so one agent has so many and no more.
        var refusal = policy.Current?.Set.Admit(identity, process) switch
        {
            null => PolicyControl.NotInForce,
            { Refusal: { } notAdmitted } => notAdmitted,
            _ when _closes.Take(identity) is { } wait => new(
                RefusalCode.Overloaded,
                $"This workload has closed {ClosesPerMinute} tasks within a minute. Close this one later.",
                wait
            ),
            _ => await revocations.CloseTaskAsync(
                process,
                taskId,
                TaskOwner.Of(identity),
                AuditActor.Workload(identity),
                call,
                cancellationToken
            ),
        };
        if (refusal is not null && callers.RecordsDenialOf(identity))
        {
            await store.CommitAsync(
                new StateChange.EventRecorded
                {
                    Event = new()
                    {
                        What = new RequestDenied(),
                        Actor = AuditActor.Workload(identity),
                        Process = process,
                        TaskId = taskId,
                        Reason = refusal.CodeText,
                        Judgement = DecisionFacts.Denial("close-task", refusal),
                        TraceId = call.TraceId,
                    },
                },
                CancellationToken.None
            );
        }

        return refusal;
    }
}
