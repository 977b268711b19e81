using System.Diagnostics;
using CredBroker.Core.Approvals;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Limits;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Exchange;

/// <summary>
/// The exchange: identity in, short-lived secret out. Its steps, in this order and in no other:
/// <list type="number">
/// <item>
/// <b>Note</b> the fence, the number of the newest revocation order. An order that comes later has a higher one, and
/// Open then refuses what it covers.
/// </item>
/// <item><b>Verify</b> who asks.</item>
/// <item>
/// <b>Decide</b> under the newest applied policy. A challenge ends here: people are asked, unless the request comes with
/// what they have agreed to.
/// </item>
/// <item><b>Prepare</b>: make the child token that the secret will hang on, where the engine needs one.</item>
/// <item>
/// <b>Open</b>: commit the lease as pending, with the handle that kills the secret and the decision's audit event; an
/// approval is used up by it. A policy that changed meanwhile sends back to Decide, and so does a limit that others filled
/// meanwhile where it has people decide.
/// </item>
/// <item><b>Mint</b> the secret. From here a client's disconnect cancels nothing.</item>
/// <item>
/// <b>Activate</b>: commit the lease as active with the issuance event; if it was taken meanwhile, revoke the secret at
/// once and return nothing.
/// </item>
/// <item><b>Deliver</b> the secret, in this one reply.</item>
/// </list>
/// A process killed between any two steps leaves nothing, or a child token that nobody holds, or a pending row that
/// recovery revokes.
/// </summary>
public sealed partial class CredentialExchange(
    CallerVerification callers,
    PolicyControl policy,
    ISecretIssuer issuer,
    IssuingReadiness readiness,
    IBrokerStore store,
    LeaseRevoker revoker,
    ApprovalRequests approvals,
    AccessRequests access,
    Tripwires tripwires,
    LeaseOptions options,
    TimeProvider time,
    ILogger<CredentialExchange> logger
)
{
    /// <summary>How often a policy that changed before the lease was opened sends the request back to Decide.</summary>
    private const int MaxReturnsToDecide = 2;

    private readonly IdempotencyKeys _idempotency = new(store, revoker);

    /// <summary>
    /// Runs one exchange. A client's disconnect cancels it before Prepare, and not after: what Vault may have begun is
    /// brought to an end that is on record.
    /// </summary>
    public async ValueTask<ExchangeOutcome> ExchangeAsync(ExchangeCommand command, CancellationToken cancellationToken)
    {
        // 1. Note: the fence as it stands before anything is known of the caller. An order committed from now on
        // refuses this request when its lease is opened.
        var noted = store.Position;

        // 2. Verify: who asks.
        var verification = await callers.VerifyAsync(command.Proof, command.Call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return new ExchangeOutcome.Refused(((VerificationOutcome.Refused)verification).Refusal, null);
        }

        for (var attempt = 0; ; attempt++)
        {
            // 3. Decide: what policy says, and whether issuing is safe now.
            var (decision, use, idempotency) = await DecideAsync(command, identity);
            if (decision.Verdict.Effect == PolicyEffect.Challenge)
            {
                if (await AskAsync(command, decision, noted, attempt) is { } asked)
                {
                    return asked;
                }

                continue;
            }

            if (decision.Verdict is not { Effect: PolicyEffect.Allow, Grant: { } grant })
            {
                return await DenyAsync(command, decision);
            }

            // 4. Prepare: the child token. What is to be revoked at the backend comes first.
            Failpoint.Pass("exchange-decided");
            if (await readiness.PaceAsync(grant.Entry.Backend, identity, cancellationToken) is { } notNow)
            {
                return await DenyAsync(command, Denied(decision, notNow));
            }

            cancellationToken.ThrowIfCancellationRequested();
            var plan = Plan(command, decision, grant);
            using var deadline = new CancellationTokenSource(options.IssuanceDeadline, time);
            var prepared = await issuer.PrepareAsync(plan, deadline.Token);
            if (prepared is not PrepareOutcome.Prepared { Child: var child })
            {
                return await DenyAsync(command, Denied(decision, ((PrepareOutcome.Refused)prepared).Refusal));
            }

            // 5. Open: the handle that kills the secret is on disk before the secret exists.
            Failpoint.Pass("exchange-prepared");
            var lease = Pending(plan, decision, child);
            if (await OpenAsync(command, lease, noted, use, idempotency) is { } notOpened)
            {
                await DropAsync(child);
                if (IsDecidedAnew(command, notOpened) && attempt < MaxReturnsToDecide)
                {
                    continue;
                }

                return await DenyAsync(command, notOpened);
            }

            // 6 to 8.
            Failpoint.Pass("exchange-opened");
            return await MintAndActivateAsync(command, plan, lease, child);
        }
    }

    /// <summary>
    /// Decide: an allow decision only if policy allows, the request fits the credential, issuing is safe now, no hold
    /// reaches it, its limits have room and the idempotency key is free.
    /// </summary>
    private async ValueTask<(DecisionRecord Decision, ApprovalUse? Use, IdempotencyClaim? Idempotency)> DecideAsync(
        ExchangeCommand command,
        WorkloadIdentity identity
    )
    {
        var (active, asked) = (policy.Current, Stopwatch.GetTimestamp());
        var decision = new DecisionRecord
        {
            Id = Ids.New(time),
            PolicyVersion = active?.Version ?? 0,
            Identity = identity,
            Task = command.Task,
            Request = command.Request,
            Verdict =
                active?.Set.Evaluate(identity, command.Task, command.Request)
                ?? new()
                {
                    Effect = PolicyEffect.Deny,
                    PolicyHash = "",
                    Refusal = PolicyControl.NotInForce,
                },
        };
        Telemetry.Decided(asked);
        ApprovalUse? use = null;
        var challenged = decision;
        // Not the caller's token from here: what is found may be a denial.
        if (command.ApprovalId is { } approvalId)
        {
            (decision, use) = await approvals.RedeemAsync(approvalId, decision, active, CancellationToken.None);
        }
        else if (decision.Verdict.Effect == PolicyEffect.Challenge)
        {
            (decision, use) = await approvals.EnterTimeBoxAsync(decision, CancellationToken.None);
        }

        if (decision.Verdict is not { Effect: PolicyEffect.Allow, Grant: { } grant })
        {
            return (decision, null, null);
        }

        if ((CsrRule.Check(grant.Entry.Vault, command.Csr) ?? readiness.Refusal) is { } notNow)
        {
            return (Denied(decision, notNow), null, null);
        }

        // Nothing is made at Vault for what a hold will refuse when it is opened.
        if (await readiness.HoldAsync(decision, "", CancellationToken.None) is { } held)
        {
            return (Denied(decision, held), null, null);
        }

        // The earlier secret of a key is taken back first: it may be what fills a limit.
        var (idempotency, conflict) = await _idempotency.ClaimAsync(command, identity, CancellationToken.None);
        if (conflict is not null)
        {
            return (Denied(decision, conflict), use, idempotency);
        }

        var (limited, breach) = await LimitAsync(decision);
        if (breach is { Limit.Challenges: true } && use is { IsInTimeBox: true } && command.ApprovalId is null)
        {
            // Nobody gave more than the limit lets be: people are asked, about both.
            return (challenged, null, null);
        }

        return (breach is null ? limited : Denied(limited, breach), use, idempotency);
    }

    /// <summary>Commits the pending lease; null means that it is open, and else it is denied.</summary>
    private async ValueTask<DecisionRecord?> OpenAsync(
        ExchangeCommand command,
        Lease lease,
        StorePosition noted,
        ApprovalUse? use,
        IdempotencyClaim? idempotency
    )
    {
        var opening = new StateChange.LeaseOpened
        {
            Lease = lease,
            Reservations = new()
            {
                Fence = noted.Fence,
                Opening = noted.Opening,
                // An executor acts in the task of the one that asked.
                TaskOwner = TaskOwner.Of(lease.Decision.Approval?.PreparedBy ?? lease.Decision.Identity),
                Idempotency = idempotency,
                Approval = use,
                Limits = LimitUse.Of(lease.Decision),
            },
            Event = Event(new RequestAllowed(), command, lease.Decision, lease.Id) with
            {
                Judgement = DecisionFacts.Judgement(lease.Decision),
            },
        };
        try
        {
            return await store.CommitAsync(opening, CancellationToken.None) switch
            {
                CommitOutcome.GuardFailed { Breach: { } breach } => Denied(lease.Decision, breach),
                CommitOutcome.GuardFailed { Reason: var reason } => Denied(lease.Decision, GuardRefusals.Of(reason)),
                _ => null,
            };
        }
        catch (StoreUnavailableException fault)
        {
            LogStoreLost(logger, lease.Id, fault);
            return Denied(lease.Decision, StoreDown);
        }
    }

    private async ValueTask<ExchangeOutcome> DenyAsync(ExchangeCommand command, DecisionRecord decision)
    {
        var refusal = decision.Verdict.Refusal ?? new(RefusalCode.NoRuleAllows, "No rule allows this.");
        if (readiness.Store is not null)
        {
            // What little the store still takes is for what ends secrets.
            return new ExchangeOutcome.Refused(refusal, null);
        }

        // Above a rate it is told with a minute's others, and counts for its limits all the same.
        var isRecorded = callers.RecordsDenialOf(decision);
        try
        {
            await tripwires.CommitAsync(
                isRecorded
                    ? new StateChange.RequestDenied
                    {
                        Decision = decision,
                        Event = Event(new RequestDenied(), command, decision) with
                        {
                            Reason = refusal.CodeText,
                            Judgement = DecisionFacts.Judgement(decision),
                        },
                    }
                    : null,
                decision,
                command.Call
            );
        }
        catch (StoreUnavailableException fault)
        {
            // A denial that cannot be recorded is still a denial.
            LogStoreLost(logger, decision.Id, fault);
            return new ExchangeOutcome.Refused(refusal, null);
        }

        return new ExchangeOutcome.Refused(refusal, isRecorded ? decision.Id : null);
    }

    /// <summary>A child token that nothing hangs on; should this fail it ends with its TTL.</summary>
    private async ValueTask DropAsync(ChildToken? child)
    {
        if (child is not null)
        {
            using var timeout = new CancellationTokenSource(options.RevocationTimeout, time);
            await issuer.RevokeAccessorAsync(child.Accessor, timeout.Token);
        }
    }

    private IssuancePlan Plan(ExchangeCommand command, DecisionRecord decision, Grant grant) =>
        new()
        {
            LeaseId = Ids.New(time),
            Identity = decision.Identity,
            Agent = decision.Verdict.Agent,
            Task = decision.Task,
            Grant = grant,
            Csr = command.Csr,
            Anchor = store.Position.AuditHead,
        };

    private Lease Pending(IssuancePlan plan, DecisionRecord decision, ChildToken? child)
    {
        var now = store.Position;
        return new()
        {
            Id = plan.LeaseId,
            State = LeaseState.Pending,
            Decision = decision,
            Accessor = child?.Accessor,
            OpenedAt = now.UtcNow,
            IssuanceDeadline = now.Counted + options.IssuanceDeadline,
        };
    }

    /// <summary>Policy allowed it, something else did not: the record says both.</summary>
    private static DecisionRecord Denied(DecisionRecord decision, Refusal refusal) =>
        decision with
        {
            Verdict = decision.Verdict with { Effect = PolicyEffect.Deny, Refusal = refusal },
        };

    /// <summary>The same for a limit, which the auditor is told and the agent is not.</summary>
    private static DecisionRecord Denied(DecisionRecord decision, LimitBreach breach) =>
        decision with
        {
            Verdict = decision.Verdict with
            {
                Effect = PolicyEffect.Deny,
                Refusal = GuardRefusals.Of(breach),
                Explanation = breach.Explanation,
                Breach = breach,
            },
        };

    private static AuditEvent Event(
        AuditFact what,
        ExchangeCommand command,
        DecisionRecord decision,
        string? leaseId = null
    ) =>
        new()
        {
            What = what,
            Actor = AuditActor.Workload(decision.Identity),
            LeaseId = leaseId,
            DecisionId = decision.Id,
            Process = decision.Task.Process,
            TaskId = decision.Task.Id,
            Credential = decision.Request.Credential,
            Holder = DecisionFacts.Holder(decision),
            TraceId = command.Call.TraceId,
        };

    private static readonly Refusal StoreDown = new(
        RefusalCode.StoreUnavailable,
        "The broker's store does not accept, and nothing is issued without its record. Try again later.",
        TimeSpan.FromSeconds(5)
    );

    [LoggerMessage(Level = LogLevel.Error, Message = "The store did not accept a step of {Id}; nothing was delivered.")]
    private static partial void LogStoreLost(ILogger logger, string id, Exception fault);
}
