using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Leases;

/// <summary>
/// What an agent may do with its own leases. A lease is visible only to the issuer, subject and instance that
/// it was issued to; to anyone else it does not exist.
/// </summary>
public sealed class AgentLeases(
    CallerVerification callers,
    PolicyControl policy,
    ISecretIssuer issuer,
    IssuingReadiness readiness,
    IBrokerStore store,
    LeaseRevoker revoker,
    LeaseOptions options,
    TimeProvider time
)
{
    private const int ReportsPerMinute = 120;

    private readonly CallerBudget _reports = new(ReportsPerMinute, time);

    private static readonly Refusal NotFound = new(RefusalCode.LeaseNotFound, "You hold no lease with this id.");

    /// <summary>The lease's state.</summary>
    public async ValueTask<LeaseOutcome> FindAsync(
        IdentityProof proof,
        string leaseId,
        CallContext call,
        CancellationToken cancellationToken
    ) =>
        (await OwnAsync("find", proof, leaseId, call, cancellationToken)).Passes(out var held, out var refusal)
            ? new LeaseOutcome.Found(held.Lease)
            : new LeaseOutcome.Refused(refusal);

    /// <summary>
    /// Renews within the decision's limit, re-evaluated under current policy. A null <paramref name="ttl"/> asks for
    /// what was granted at first.
    /// </summary>
    public async ValueTask<LeaseOutcome> RenewAsync(
        IdentityProof proof,
        string leaseId,
        TimeSpan? ttl,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var fence = store.Position.Fence;
        if (!(await OwnAsync("renew", proof, leaseId, call, cancellationToken)).Passes(out var held, out var refusal))
        {
            return new LeaseOutcome.Refused(refusal);
        }

        var (lease, identity) = held;

        if (
            lease
            is not {
                State: LeaseState.Active,
                ActivatedAt: { } activatedAt,
                ExpiresAt: { } expiresAt,
                Grant: var granted
            }
        )
        {
            return await DenyAsync(
                lease,
                identity,
                new(
                    RefusalCode.LeaseStateConflict,
                    "Only an active lease can be renewed; "
                        + $"this one is {lease.State.ToString().ToLowerInvariant()}. Ask for a new credential."
                ),
                call
            );
        }

        if (policy.Current is not { } active)
        {
            return await DenyAsync(lease, identity, PolicyControl.NotInForce, call);
        }

        // Decided as it is asked for now: a condition on the wished life holds for a renewal, too.
        var request = lease.Decision.Request with
        {
            Ttl = ttl ?? granted.Ttl,
        };
        var decision = lease.Decision with
        {
            Id = Ids.New(time),
            PolicyVersion = active.Version,
            Identity = identity,
            Request = request,
            Verdict = active.Set.Evaluate(identity, lease.Decision.Task, request),
        };
        if (
            decision.Verdict is not { Effect: PolicyEffect.Allow, Grant: { } grant }
            || grant.Entry.Vault != granted.Entry.Vault
        )
        {
            return await DenyRenewalAsync(lease, decision, call);
        }

        // The whole life counts from activation and is bounded by what was granted then and what would be granted now.
        var end = activatedAt + (grant.MaxTtl < granted.MaxTtl ? grant.MaxTtl : granted.MaxTtl);
        var now = store.Position.UtcNow;
        var wished = now + (ttl ?? granted.Ttl);
        var target = wished < end ? wished : end;
        if (target <= expiresAt)
        {
            return await DenyAsync(
                lease,
                identity,
                new(
                    RefusalCode.NotRenewable,
                    $"Renewing cannot extend it: it ends {expiresAt:O}, "
                        + $"and its whole life is bounded to {end:O}. Ask for a new credential then."
                ),
                call
            );
        }

        if (readiness.Refusal is { } notNow)
        {
            return await DenyAsync(lease, identity, notNow, call);
        }

        // By what the lease was decided from and by what it would be now: policy may have renamed its agent since.
        if (
            store.Position.Holds > 0
            && (
                await store.Holds.IsHeldAsync(lease.Decision, lease.Id, CancellationToken.None)
                || await store.Holds.IsHeldAsync(decision, lease.Id, CancellationToken.None)
            )
        )
        {
            return await DenyAsync(lease, identity, GuardRefusals.Of(GuardFailure.Held), call);
        }

        var renewal = await issuer.RenewAsync(lease, target - now, CancellationToken.None);
        if (renewal is not RenewOutcome.Renewed { EndsAt: var endsAt })
        {
            return await DenyAsync(lease, identity, ((RenewOutcome.Refused)renewal).Refusal, call);
        }

        var newEnd = endsAt < target ? endsAt : target;
        var grace = lease.GraceUntil > newEnd ? lease.GraceUntil.Value : newEnd;
        var committed = await store.CommitAsync(
            new StateChange.LeaseRenewed
            {
                LeaseId = lease.Id,
                Fence = fence,
                PolicyVersion = active.Version,
                ExpiresAt = newEnd,
                GraceUntil = grace,
                Event = LeaseRevoker.Event(
                    new LeaseRenewed
                    {
                        ExpiresAt = newEnd,
                        PolicyVersion = active.Version,
                        Rule = decision.Verdict.RuleId,
                    },
                    lease,
                    AuditActor.Workload(identity)
                ) with
                {
                    TraceId = call.TraceId,
                    DecisionId = decision.Id,
                    Judgement = DecisionFacts.Judgement(decision),
                },
            },
            CancellationToken.None
        );

        // Vault has extended the secret although a guard failed, and nothing takes that back here. Whoever took the
        // lease revokes it; where policy changed or a hold was placed, its end on record stays as it was, and it is
        // revoked then.
        return committed switch
        {
            CommitOutcome.Committed => new LeaseOutcome.Found(lease with { ExpiresAt = newEnd, GraceUntil = grace }),
            CommitOutcome.GuardFailed { Reason: GuardFailure.Held and var reason } => await DenyAsync(
                lease,
                identity,
                GuardRefusals.Of(reason),
                call
            ),
            _ => await DenyAsync(
                lease,
                identity,
                new(
                    RefusalCode.RevokedMeanwhile,
                    "The lease was taken, or policy changed, while it was being renewed. Look at its state."
                ),
                call
            ),
        };
    }

    /// <summary>
    /// Gives the secret back. Waits for the confirmation as long as the settings say: the lease is then revoked or
    /// ended, or still revoking.
    /// </summary>
    public async ValueTask<LeaseOutcome> ReleaseAsync(
        IdentityProof proof,
        string leaseId,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (!(await OwnAsync("release", proof, leaseId, call, cancellationToken)).Passes(out var held, out var refusal))
        {
            return new LeaseOutcome.Refused(refusal);
        }

        var (lease, identity) = held;
        if (lease.State is not (LeaseState.Pending or LeaseState.Active))
        {
            // Over, or on record as being revoked: then it goes on by itself, and its agent cannot hurry or delay it.
            return new LeaseOutcome.Found(lease);
        }

        // Once it is on record the revocation goes on whether or not the client waits for it.
        Lease claimed;
        Task<Lease> settled;
        try
        {
            (claimed, settled) = await revoker.BeginAsync(
                lease,
                new(RevocationCause.Released, AuditActor.Workload(identity), null, call.TraceId),
                []
            );
        }
        catch (StoreUnavailableException)
        {
            // The agent is told that it is not on record, and the secret is dead all the same.
            await revoker.KillAsync(lease);
            throw;
        }

        var first = await Task.WhenAny(settled, Task.Delay(options.ReleaseWait, time, cancellationToken));
        return new LeaseOutcome.Found(first == settled ? await settled : claimed);
    }

    /// <summary>
    /// Records what the agent says it did with the secret. A report may be long, so one workload has so many and no
    /// more.
    /// </summary>
    public async ValueTask<LeaseOutcome> ReportAsync(
        IdentityProof proof,
        string leaseId,
        TaskReport report,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (!(await OwnAsync("report", proof, leaseId, call, cancellationToken)).Passes(out var held, out var refusal))
        {
            return new LeaseOutcome.Refused(refusal);
        }

        var (lease, identity) = held;
        if (_reports.Take(identity) is { } wait)
        {
            var tooMany = new Refusal(
                RefusalCode.Overloaded,
                $"This workload has sent {ReportsPerMinute} reports within a minute. Send this one later.",
                wait
            );
            await RecordDenialAsync(
                LeaseRevoker.Event(new RequestDenied(), lease, AuditActor.Workload(identity)),
                identity,
                "report",
                tooMany,
                call
            );
            return new LeaseOutcome.Refused(tooMany);
        }

        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = LeaseRevoker.Event(
                    new OutcomeReported
                    {
                        Summary = report.Summary,
                        ToolCall = report.ToolCall,
                        IsAsDeclared = IsSame(lease.Decision.Request.ToolCall, report.ToolCall),
                    },
                    lease,
                    AuditActor.Workload(identity)
                ) with
                {
                    Reason = report.Status,
                    TraceId = call.TraceId,
                },
            },
            cancellationToken
        );
        return new LeaseOutcome.Found(lease);
    }

    private async ValueTask<LeaseOutcome> DenyRenewalAsync(Lease lease, DecisionRecord decision, CallContext call)
    {
        var refusal =
            decision.Verdict.Refusal
            ?? new(RefusalCode.NotRenewable, "The credential is made another way now. Ask for a new one.");
        if (!callers.RecordsDenialOf(decision.Identity))
        {
            return new LeaseOutcome.Refused(refusal);
        }

        decision = decision with { Verdict = decision.Verdict with { Effect = PolicyEffect.Deny, Refusal = refusal } };
        await store.CommitAsync(
            new StateChange.RequestDenied
            {
                Decision = decision,
                Event = LeaseRevoker.Event(new RequestDenied(), lease, AuditActor.Workload(decision.Identity)) with
                {
                    DecisionId = decision.Id,
                    Reason = refusal.CodeText,
                    TraceId = call.TraceId,
                    Judgement = DecisionFacts.Judgement(decision),
                },
            },
            CancellationToken.None
        );
        return new LeaseOutcome.Refused(refusal);
    }

    /// <summary>The lease, if the proof holds and the lease is the caller's own.</summary>
    private async ValueTask<Checked<HeldLease>> OwnAsync(
        string action,
        IdentityProof proof,
        string leaseId,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var verification = await callers.VerifyAsync(proof, call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return ((VerificationOutcome.Refused)verification).Refusal;
        }

        if (
            Ids.IsValid(leaseId)
            && await store.Leases.FindAsync(leaseId, CancellationToken.None) is { } lease
            && lease.Decision.Identity.IsSameCaller(identity)
        )
        {
            return new HeldLease(lease, identity);
        }

        // What was asked for is on record only in the form of an id: anything else could be anything.
        var asked = Ids.IsValid(leaseId) ? leaseId : null;
        await RecordDenialAsync(
            new()
            {
                What = new RequestDenied(),
                Actor = AuditActor.Workload(identity),
                LeaseId = asked,
            },
            identity,
            action,
            NotFound,
            call
        );
        return NotFound;
    }

    /// <summary>A verified caller was denied something about its own lease.</summary>
    private async ValueTask<LeaseOutcome> DenyAsync(
        Lease lease,
        WorkloadIdentity identity,
        Refusal refusal,
        CallContext call
    )
    {
        await RecordDenialAsync(
            LeaseRevoker.Event(new RequestDenied(), lease, AuditActor.Workload(identity)),
            identity,
            "renew",
            refusal,
            call
        );
        return new LeaseOutcome.Refused(refusal);
    }

    private async ValueTask RecordDenialAsync(
        AuditEvent denied,
        WorkloadIdentity identity,
        string action,
        Refusal refusal,
        CallContext call
    )
    {
        if (callers.RecordsDenialOf(identity))
        {
            await store.CommitAsync(
                new StateChange.EventRecorded
                {
                    Event = denied with
                    {
                        Reason = refusal.CodeText,
                        TraceId = call.TraceId,
                        Judgement = DecisionFacts.Denial(action, refusal),
                    },
                },
                CancellationToken.None
            );
        }
    }

    private static bool IsSame(ToolCall? declared, ToolCall? made) =>
        declared is not null
        && made is not null
        && declared.Name == made.Name
        && JsonElement.DeepEquals(declared.Arguments, made.Arguments);

    /// <summary>A lease, and its holder as just verified.</summary>
    private sealed record HeldLease(Lease Lease, WorkloadIdentity Identity);
}
