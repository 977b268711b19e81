using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Leases;

/// <content>Renewal: decided anew by the policy in force, and never past what the lease was issued for.</content>
public sealed partial class AgentLeases
{
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
        var noted = store.Position;
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

        if (lease.Decision.Approval is not null)
        {
            return await DenyAsync(
                lease,
                identity,
                new(
                    RefusalCode.NotRenewable,
                    $"People agreed to this life and no longer one: it ends {expiresAt:O}. Ask anew, without approvalId."
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
        var hold =
            await readiness.HoldAsync(lease.Decision, lease.Id, CancellationToken.None)
            ?? await readiness.HoldAsync(decision, lease.Id, CancellationToken.None);
        if (hold is not null)
        {
            return await DenyAsync(lease, identity, hold, call);
        }

        var renewal = await issuer.RenewAsync(lease, target - now, CancellationToken.None);
        if (renewal is not RenewOutcome.Renewed { EndsAt: var endsAt })
        {
            return await DenyAsync(lease, identity, ((RenewOutcome.Refused)renewal).Refusal, call);
        }

        // The store refuses what an order or a hold reaches; one that it did not take meanwhile reaches everything.
        if (readiness.Undelivered is { } undelivered)
        {
            return await DenyAsync(lease, identity, undelivered, call);
        }

        var newEnd = endsAt < target ? endsAt : target;
        var grace = lease.GraceUntil > newEnd ? lease.GraceUntil.Value : newEnd;
        var committed = await store.CommitAsync(
            new StateChange.LeaseRenewed
            {
                LeaseId = lease.Id,
                Fence = noted.Fence,
                Opening = noted.Opening,
                PolicyVersion = active.Version,
                Decision = decision,
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
            CommitOutcome.Committed when readiness.Undelivered is { } undeliveredNow => await TakeBackAsync(
                lease,
                identity,
                expiresAt,
                grace,
                undeliveredNow,
                call
            ),
            CommitOutcome.Committed => new LeaseOutcome.Found(lease with { ExpiresAt = newEnd, GraceUntil = grace }),
            CommitOutcome.GuardFailed { Reason: (GuardFailure.Held or GuardFailure.StoreReopened) and var reason } =>
                await DenyAsync(lease, identity, GuardRefusals.Of(reason), call),
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
    /// The lease ends again when it did before a renewal that is on record and must not be told. Where even that is not
    /// taken, its agent hears of the store's fault and of no later end.
    /// </summary>
    private async ValueTask<LeaseOutcome> TakeBackAsync(
        Lease lease,
        WorkloadIdentity identity,
        DateTimeOffset expiresAt,
        DateTimeOffset grace,
        Refusal refusal,
        CallContext call
    )
    {
        var version = policy.Current?.Version ?? lease.Decision.PolicyVersion;
        await store.CommitAsync(
            new StateChange.LeaseRenewed
            {
                LeaseId = lease.Id,
                Fence = store.Position.Fence,
                Opening = store.Position.Opening,
                PolicyVersion = version,
                ExpiresAt = expiresAt,
                GraceUntil = grace,
                Event = LeaseRevoker.Event(
                    new LeaseShortened { ExpiresAt = expiresAt, PolicyVersion = version },
                    lease,
                    AuditActor.Broker("renewal")
                ) with
                {
                    Reason = refusal.CodeText,
                    TraceId = call.TraceId,
                },
            },
            CancellationToken.None
        );
        return await DenyAsync(lease, identity, refusal, call);
    }

    private async ValueTask<LeaseOutcome> DenyRenewalAsync(Lease lease, DecisionRecord decision, CallContext call)
    {
        var refusal =
            decision.Verdict.Refusal
            ?? new(RefusalCode.NotRenewable, "The credential is made another way now. Ask for a new one.");
        if (!callers.RecordsDenialOf(decision))
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
}
