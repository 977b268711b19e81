using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Tries the newest policy on every live lease, pending ones included, from the inputs stored with it; what it would no
/// longer allow is revoked, and what it would allow for less time ends earlier. No lease slips past: one that is
/// opened after the new version was applied is refused if an older version decided on it.
/// </summary>
public sealed class PolicyReevaluation(
    IBrokerStore store,
    PolicyControl policy,
    LeaseRevoker revoker,
    RevocationSignal signal
)
{
    private long _evaluated;

    /// <summary>
    /// One pass, if a version was applied since the last one that came to its end; always one after a start, because
    /// the last process may have been cut short.
    /// </summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        if (policy.Current is not { } active || active.Version == Volatile.Read(ref _evaluated))
        {
            return;
        }

        var fence = store.Position.Fence;
        string? next = null;
        StoreUnavailableException? refused = null;
        do
        {
            var page = await store.Leases.ListAsync(
                new()
                {
                    States = LeaseStates.Live,
                    After = next,
                    Limit = 1000,
                },
                cancellationToken
            );
            var tried = Task.WhenAll([
                .. page
                    .Leases.Where(lease => lease.Decision.PolicyVersion != active.Version)
                    .Select(lease => ReevaluateAsync(lease, active, fence)),
                // What it was allowed for cannot be read: nothing allows it.
                .. page.Unreadable.Select(lease =>
                    revoker
                        .MarkAsync(lease, Changed($"unreadable, at version {active.Version}"), LeaseStates.Live)
                        .AsTask()
                ),
            ]);
            try
            {
                await tried;
            }
            catch (StoreUnavailableException fault) when (store.Fault is null)
            {
                // A row that the store refuses keeps no other from it; the pass is repeated as a whole.
                refused = fault;
            }

            signal.Raise();
            next = page.Next;
        } while (next is not null);

        if (refused is not null)
        {
            throw new StoreUnavailableException("Not every lease could be tried on the new policy.", refused);
        }

        Volatile.Write(ref _evaluated, active.Version);
    }

    /// <summary>What policy decides on: where an executor holds the lease, what the preparer asked for.</summary>
    private static DecisionRecord AskedFor(DecisionRecord decision) =>
        decision.Approval?.PreparedBy is { } preparer
            ? decision with
            {
                Identity = preparer,
                Request = decision.Request with { Csr = null },
            }
            : decision;

    /// <summary>Whether it stands on an approval of exactly what the new policy would ask people for.</summary>
    private static bool IsApprovedStill(ApprovalMark? approval, DecisionRecord asked, Decision decision) =>
        decision.Effect == PolicyEffect.Challenge
        && approval is not null
        && ApprovalDigest.Of(asked.Identity, asked.Task, asked.Request, decision) == approval.Digest;

    private static RevocationReason Changed(string rule) =>
        new(RevocationCause.PolicyChange, AuditActor.Broker("policy-reevaluation"), null, null, rule);

    private async Task ReevaluateAsync(Lease lease, ActivePolicy active, long fence)
    {
        var asked = AskedFor(lease.Decision);
        var decision = active.Set.Evaluate(asked.Identity, asked.Task, asked.Request);
        var granted = lease.Grant;
        if (
            decision.Grant is not { } grant
            || !(decision.Effect == PolicyEffect.Allow || IsApprovedStill(lease.Decision.Approval, asked, decision))
            || grant.Entry.Vault != granted.Entry.Vault
            || (lease.State == LeaseState.Pending && granted.Ttl > grant.MaxTtl)
        ) // It would become active with the old, longer life, and nobody would look again.
        {
            var rule = decision.RuleId.Length > 0 ? decision.RuleId : decision.Refusal?.CodeText ?? "catalogue";
            await revoker.MarkAsync(lease, Changed($"{rule} of version {active.Version}"), LeaseStates.Live);
            return;
        }

        if (
            lease
                is {
                    State: LeaseState.Active,
                    ActivatedAt: { } activatedAt,
                    ExpiresAt: { } expiresAt,
                    GraceUntil: { } grace
                }
            && activatedAt + grant.MaxTtl is var end
            && end < expiresAt
        )
        {
            await store.CommitAsync(
                new StateChange.LeaseRenewed
                {
                    LeaseId = lease.Id,
                    Fence = fence,
                    Opening = store.Position.Opening,
                    PolicyVersion = active.Version,
                    ExpiresAt = end,
                    GraceUntil = grace,
                    Event = LeaseRevoker.Event(
                        new LeaseShortened { ExpiresAt = end, PolicyVersion = active.Version },
                        lease,
                        AuditActor.Broker("policy-reevaluation")
                    ) with
                    {
                        Reason = "policy-change",
                    },
                },
                CancellationToken.None
            );
        }
    }
}
