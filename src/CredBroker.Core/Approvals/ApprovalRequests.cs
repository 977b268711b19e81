using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Questions as agents have them asked, wait for them and redeem them. To anyone but the identity that asked, and to
/// another key of it, a question does not exist; an executor redeems what was left to it, and nothing else.
/// </summary>
public sealed partial class ApprovalRequests(
    CallerVerification callers,
    IBrokerStore store,
    ApprovalNews news,
    TimeProvider time
)
{
    /// <summary>The longest time that a look waits for news.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>How long an agent waits before it looks again, unless it is told to wait longer.</summary>
    public static TimeSpan PollInterval => PollPace.Interval;

    private static readonly TimeSpan EachSecond = TimeSpan.FromSeconds(1);
    internal static readonly Refusal NotFound = new(
        RefusalCode.ApprovalNotFound,
        "You have asked for nothing under this id. Ask without approvalId."
    );

    private readonly PollPace _pace = new(time);

    /// <summary>
    /// Asks people for what was decided, with the record that nothing was issued; where the same caller has an open
    /// question about the same, that one is the answer and nobody is asked twice. Null where policy changed meanwhile.
    /// </summary>
    public async ValueTask<Checked<Approval>?> AskAsync(
        DecisionRecord decision,
        StorePosition noted,
        CallContext call,
        Func<Approval, StateChange.EvaluationUsed>? use,
        CancellationToken cancellationToken
    )
    {
        var demands = decision.Verdict.Approval!.Demands;
        var now = store.Position;
        var approval = new Approval
        {
            Id = Approval.NewId(),
            State = ApprovalState.Pending,
            Decision = decision,
            Digest = DigestOf(decision),
            CallerKey = Approval.CallerKeyOf(decision.Identity),
            Fence = noted.Fence,
            AskedAt = now.Counted,
            ExpiresAt = Milliseconds(now.Counted + demands.Min(demand => demand.ExpiresAfter)),
        };
        var outcome = await store.CommitAsync(
            new StateChange.All([
                .. use is null ? (StateChange.Transition[])[] : [use(approval)],
                new StateChange.ApprovalRequested
                {
                    Approval = approval,
                    Opening = noted.Opening,
                    TaskOwner = TaskOwner.Of(decision.Identity),
                    Event = Event(
                        new ApprovalRequested
                        {
                            ApprovalId = approval.Id,
                            Digest = approval.Digest,
                            ExpiresAt = approval.ExpiresAt,
                            Demands = JsonSerializer.SerializeToElement(
                                decision.Verdict.Obligations,
                                StateJson.Default.IReadOnlyListObligation
                            ),
                        },
                        decision,
                        call
                    ),
                },
                Denial(decision, call),
            ]),
            cancellationToken
        );
        switch (outcome)
        {
            case CommitOutcome.Committed:
                news.Raise();
                return approval;
            case CommitOutcome.GuardFailed { Reason: GuardFailure.PolicyChanged }:
                return null;
            case CommitOutcome.GuardFailed { Reason: GuardFailure.AlreadyAsked }:
                // It may have ended in between: then the caller asks again.
                return await FindOpenAsync(decision, approval.Digest, cancellationToken) is { } open ? open : JustEnded;
            case CommitOutcome.GuardFailed { Reason: var reason }:
                return GuardRefusals.Of(reason);
            default:
                throw new InvalidOperationException($"Unknown outcome {outcome.GetType().Name}.");
        }
    }

    /// <summary>The caller's open question about the same, in time, or null.</summary>
    public ValueTask<Approval?> FindOpenAsync(DecisionRecord decision, CancellationToken cancellationToken) =>
        FindOpenAsync(decision, DigestOf(decision), cancellationToken);

    /// <summary>A challenge is a denial until it is met: its record has everything that it was decided from.</summary>
    public static StateChange.RequestDenied Denial(DecisionRecord decision, CallContext call) =>
        new()
        {
            Decision = decision,
            Event = Event(new RequestDenied(), decision, call) with
            {
                Reason = decision.Verdict.Refusal?.CodeText,
                Judgement = DecisionFacts.Judgement(decision),
            },
        };

    /// <summary>
    /// Decides whether the approval lets this request be now. What comes back is an allow that stands on it, and the use
    /// to reserve, or why not. Policy has decided anew, and all that it resolved to must be what people agreed to.
    /// </summary>
    /// <param name="approvalId">What the caller redeems.</param>
    /// <param name="decision">What policy says now to the caller itself.</param>
    /// <param name="active">The policy that said it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<(DecisionRecord Decision, ApprovalUse? Use)> RedeemAsync(
        string approvalId,
        DecisionRecord decision,
        ActivePolicy? active,
        CancellationToken cancellationToken
    )
    {
        if (active is null)
        {
            return (decision, null);
        }

        if (
            !Ids.IsValid(approvalId)
            || await store.Approvals.FindAsync(approvalId, cancellationToken) is not { } approval
        )
        {
            return (Refused(decision, NotFound), null);
        }

        var caller = decision.Identity;
        var isMine = approval.CallerKey == Approval.CallerKeyOf(caller);
        var agent = decision.Verdict.Agent;
        WorkloadIdentity? preparer = null;
        if (approval.Executor.Length > 0)
        {
            // Whom policy admits now as the agent that the rule named, and nobody else.
            var admission = active.Set.Admit(caller, approval.Decision.Task.Process);
            if (admission.Refusal is not null || admission.Agent != approval.Executor)
            {
                return (Refused(decision, isMine ? ExecutorOnly(approval) : NotFound), null);
            }

            (preparer, agent) = (approval.Decision.Identity, admission.Agent);
        }
        else if (!isMine)
        {
            return (Refused(decision, NotFound), null);
        }

        var timeBox = await FindTimeBoxAsync(approval, cancellationToken);
        if (timeBox is null && WhyNot(approval) is { } refusal)
        {
            return (Refused(decision, refusal), null);
        }

        // The preparer's request is what people agreed to; how the secret is handed over is the executor's.
        var asked = preparer is null
            ? decision
            : decision with
            {
                Identity = preparer,
                Request = decision.Request with { Csr = null },
                Verdict = active.Set.Evaluate(preparer, decision.Task, decision.Request with { Csr = null }),
            };
        // How much is used of a limit is not asked again: people let this one pass.
        asked = asked with
        {
            Verdict = LimitDemands.Again(
                asked.Verdict,
                active.Set.Limits,
                LimitDemands.In(approval.Decision.Verdict),
                asked.Identity
            ),
        };
        if (asked.Verdict is not { Effect: PolicyEffect.Challenge, Grant: { } grant })
        {
            // What policy denies the one that asked is no denial of the executor's, and trips no wire of its.
            return (
                asked.Verdict.Effect == PolicyEffect.Deny && preparer is null ? decision : Refused(decision, Mismatch),
                null
            );
        }

        if (timeBox is not null)
        {
            return Enter(timeBox, decision, asked, preparer, agent)
                ?? (Refused(decision, GuardRefusals.Of(GuardFailure.ApprovalNotUsable)), null);
        }

        if (DigestOf(asked) != approval.Digest)
        {
            return (Refused(decision, Mismatch), null);
        }

        return (
            decision with
            {
                Approval = new()
                {
                    Id = approval.Id,
                    Digest = approval.Digest,
                    PreparedBy = preparer,
                },
                Verdict = asked.Verdict with
                {
                    Effect = PolicyEffect.Allow,
                    Agent = agent,
                    Refusal = null,
                    // The life that people agreed to is its whole life: nothing extends it.
                    Grant = grant with
                    {
                        MaxTtl = grant.Ttl,
                    },
                },
            },
            new(approval.Id, approval.Digest, TimeBoxDigestOf(asked))
        );
    }

    /// <summary>
    /// Where the caller's question stands; waits as long for it to be decided, wherever that happens.
    /// </summary>
    public async ValueTask<Checked<ApprovalStatus>> FindAsync(
        IdentityProof proof,
        string approvalId,
        TimeSpan wait,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var verification = await callers.VerifyAsync(proof, call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return ((VerificationOutcome.Refused)verification).Refusal;
        }

        var key = Approval.CallerKeyOf(identity);
        if (await FindOwnAsync(approvalId, key, cancellationToken) is not { } approval)
        {
            return NotFound;
        }

        if (StateOf(approval) != ApprovalState.Pending)
        {
            return Status(approval, PollPace.Interval);
        }

        var (interval, isTooSoon, waits) = _pace.Begin(approval.Id, wait > TimeSpan.Zero);
        if (!waits)
        {
            return Status(approval, interval, isTooSoon);
        }

        try
        {
            var began = time.GetTimestamp();
            wait = wait < MaxWait ? wait : MaxWait;
            while (time.GetElapsedTime(began) < wait)
            {
                // Taken before the look, so that what is said in between wakes.
                var next = news.Next;
                approval = await FindOwnAsync(approval.Id, key, cancellationToken) ?? approval;
                if (StateOf(approval) != ApprovalState.Pending)
                {
                    break;
                }

                var left = wait - time.GetElapsedTime(began);
                await Task.WhenAny(next, Task.Delay(left < EachSecond ? left : EachSecond, time, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
            }

            return Status(approval, interval);
        }
        finally
        {
            _pace.End(approval.Id);
        }
    }

    /// <summary>Why the approval cannot be redeemed as it stands; null where it can.</summary>
    private Refusal? WhyNot(Approval approval) =>
        StateOf(approval) switch
        {
            ApprovalState.Approved => null,
            ApprovalState.Pending => new(
                RefusalCode.ApprovalPending,
                "People have not decided yet. Poll the request until it is approved.",
                PollPace.Interval
            ),
            ApprovalState.Denied => new(RefusalCode.ApprovalDenied, $"A person has denied it: {approval.Reason}"),
            ApprovalState.Expired => new(
                RefusalCode.ApprovalExpired,
                "Its time is over. Ask anew, without approvalId."
            ),
            ApprovalState.Redeemed => GuardRefusals.Of(GuardFailure.ApprovalNotUsable),
            _ => new(
                RefusalCode.ApprovalVoided,
                $"It was taken back ({approval.Reason}). Ask anew, without approvalId, if you still need it."
            ),
        };

    private async ValueTask<Approval?> FindOpenAsync(
        DecisionRecord decision,
        string digest,
        CancellationToken cancellationToken
    )
    {
        var key = Approval.CallerKeyOf(decision.Identity);
        var open = await store.Approvals.FindOpenAsync(key, digest, cancellationToken);
        return open is not null && StateOf(open) != ApprovalState.Expired ? open : null;
    }

    private async ValueTask<Approval?> FindOwnAsync(
        string approvalId,
        string key,
        CancellationToken cancellationToken
    ) =>
        Ids.IsValid(approvalId)
        && await store.Approvals.FindAsync(approvalId, cancellationToken) is { } approval
        && approval.CallerKey == key
            ? approval
            : null;

    // As the store keeps it, so that the agent is told the end that is on record.
    private static DateTimeOffset Milliseconds(DateTimeOffset moment) =>
        moment.AddTicks(-(moment.Ticks % TimeSpan.TicksPerMillisecond));

    private ApprovalState StateOf(Approval approval) => approval.StateAt(store.Position);

    private ApprovalStatus Status(Approval approval, TimeSpan interval, bool isTooSoon = false) =>
        new(approval, StateOf(approval), interval, isTooSoon);

    private static string DigestOf(DecisionRecord decision) =>
        ApprovalDigest.Of(decision.Identity, decision.Task, decision.Request, decision.Verdict);

    internal static DecisionRecord Refused(DecisionRecord decision, Refusal refusal) =>
        decision with
        {
            Verdict = decision.Verdict with { Effect = PolicyEffect.Deny, Refusal = refusal },
        };

    private static AuditEvent Event(AuditFact what, DecisionRecord decision, CallContext call) =>
        ApprovalEvents.Of(what, decision, AuditActor.Workload(decision.Identity), call.TraceId);

    private static readonly Refusal JustEnded = new(
        RefusalCode.ApprovalExpired,
        "The time of your earlier request about the same is just over. Ask again.",
        TimeSpan.FromSeconds(1)
    );

    private static Refusal ExecutorOnly(Approval approval) =>
        new(
            RefusalCode.ExecutorOnly,
            $"Only the agent {approval.Executor} redeems this, by its own proof. Poll the request for its outcome."
        );

    private static readonly Refusal Mismatch = new(
        RefusalCode.ApprovalMismatch,
        "What would be issued now is not what people agreed to. Send exactly the body that was approved; if you did, "
            + "policy has changed since: ask anew, without approvalId."
    );
}
