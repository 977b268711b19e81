using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Limits;

/// <summary>
/// What a denial sets off. It counts for the limits of whoever was denied, and where it breaks one that quarantines, the
/// one instance that asked is held, and what it holds is revoked, in the commit of that same denial.
/// <para>
/// Only what policy itself denies a verified identity counts: not what others have used up or own, nor what Vault, the
/// store or a hold refuses. So no outage trips any wire. A limit that counts several instances together refuses them all
/// once it is broken, and holds those alone that are then denied themselves: what others were denied quarantines nobody.
/// </para>
/// </summary>
public sealed class Tripwires(IBrokerStore store, RevocationSignal signal, TimeProvider time)
{
    /// <summary>
    /// Commits a denial with what it sets off. One that is only told with a minute's others (null) counts all the same.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The store takes nothing.</exception>
    public async ValueTask CommitAsync(StateChange.RequestDenied? denied, DecisionRecord decision, CallContext call)
    {
        var changes = new List<StateChange.Transition>();
        if (denied is not null)
        {
            changes.Add(denied);
        }

        if (decision.Verdict.Breach is { } breach)
        {
            // Of what is counted together, the denials may all have been others'.
            var isOwn = breach.Kind != LimitKind.Denied || breach.Limit.Per == LimitScope.Instance;
            var broken = LimitUse.Of(decision).Where(use => isOwn && use.Limit == breach.Limit);
            changes.AddRange(broken.SelectMany(use => Quarantine(new(use, breach.Kind), decision, call)));
        }
        else if (Counts(decision.Verdict))
        {
            changes.AddRange(await CountAsync(denied is not null, decision, call));
        }

        // The number is that of the order, where one was given.
        if (
            changes.Count > 0
            && await store.CommitAsync(
                changes is [var only] ? only : new StateChange.All(changes),
                // A caller that hangs up must not keep its denial off the record.
                CancellationToken.None
            )
                is CommitOutcome.Committed { Number: > 0 }
        )
        {
            signal.Raise();
        }
    }

    /// <summary>What counts the denial, once for all limits, and what it sets off of those that it may break.</summary>
    private async ValueTask<IReadOnlyList<StateChange.Transition>> CountAsync(
        bool isRecorded,
        DecisionRecord decision,
        CallContext call
    )
    {
        LimitUse[] limits = [.. LimitUse.Of(decision).Where(use => use.Limit.MaxDenied is not null)];
        var changes = new List<StateChange.Transition>();
        foreach (var use in limits)
        {
            if (isRecorded || !await IsTrippedAsync(use, decision))
            {
                if (changes.Count == 0)
                {
                    changes.Add(new StateChange.DenialCounted { Limits = limits, Event = null });
                }

                changes.AddRange(Quarantine(new(use, LimitKind.Denied), decision, call));
            }
        }

        return changes;
    }

    private ValueTask<bool> IsTrippedAsync(LimitUse use, DecisionRecord decision) =>
        store.Limits.IsTrippedAsync(use, LimitUse.Instance(decision), CancellationToken.None);

    private static bool Counts(Decision verdict) =>
        verdict.Refusal?.Code
            is RefusalCode.NoRuleAllows
                or RefusalCode.DeniedByRule
                or RefusalCode.ProcessUnknown
                or RefusalCode.ProcessNotAdmitted
                or RefusalCode.CredentialUnknown
                or RefusalCode.ActionNotOffered
                or RefusalCode.GateDenied
                or RefusalCode.NobodyToAsk
                or RefusalCode.ExecutorsDiffer
                or RefusalCode.RuleFailed
                or RefusalCode.ToolArgumentsInvalid
                or RefusalCode.ParamsInvalid;

    private IEnumerable<StateChange.Transition> Quarantine(Tripwire tripwire, DecisionRecord decision, CallContext call)
    {
        var limit = tripwire.Use.Limit;
        if (limit.QuarantineFor is not { } lasts)
        {
            return [];
        }

        var (now, actor) = (store.Position.UtcNow, AuditActor.Broker($"tripwire {limit.Id}"));
        var reason = new LimitBreach(limit, tripwire.Kind, null).Explanation;
        var (hold, order) = (Ids.New(time), Ids.New(time));
        var selector = LimitUse.Instance(decision);
        var selected = JsonSerializer.SerializeToElement(selector, StateJson.Default.LeaseSelector);
        var told = new AuditEvent
        {
            What = new HoldPlaced
            {
                HoldId = hold,
                Selector = selected,
                Reason = reason,
                Until = now + lasts,
            },
            Actor = actor,
            RevocationId = order,
            DecisionId = decision.Id,
            TraceId = call.TraceId,
        };
        return
        [
            new StateChange.HoldPlaced
            {
                Hold = new()
                {
                    Id = hold,
                    Selector = selector,
                    Reason = reason,
                    PlacedBy = actor.ToString(),
                    PlacedAt = now,
                    Until = now + lasts,
                    RevocationId = order,
                },
                Tripwire = tripwire,
                Event = told,
            },
            new StateChange.RevocationOrdered
            {
                Order = new()
                {
                    Id = order,
                    Selector = selector,
                    Cause = RevocationCause.Quarantine,
                    Reason = reason,
                    RequestedBy = actor.ToString(),
                    RequestedAt = now,
                },
                OnlyWithHold = hold,
                Event = told with
                {
                    What = new RevocationOrdered { Selector = selected, Reason = reason },
                },
            },
        ];
    }
}
