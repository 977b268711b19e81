using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

public sealed partial class PolicySet
{
    private static readonly string[] Params = ["request.params"];
    private static readonly string[] ToolCall = ["toolCall.arguments", "toolCall.name"];

    /// <summary>
    /// What an identity may ask for: the decision with the request left open. Pure, and never wider than the truth: what is
    /// said to be allowed is allowed for every request of the shape, and what is left out is allowed for none.
    /// </summary>
    public IReadOnlyList<CatalogueOffer> Offers(WorkloadIdentity identity, CancellationToken cancellationToken)
    {
        var offers = new List<CatalogueOffer>();
        foreach (var process in Processes.Values.OrderBy(process => process.Name, StringComparer.Ordinal))
        {
            if (Admit(identity, process.Name).Refusal is not null)
            {
                continue;
            }

            foreach (var item in _items.Values.OrderBy(item => item.Entry.Name, StringComparer.Ordinal))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Offer(identity, process, item) is { } offer)
                {
                    offers.Add(offer);
                }
            }
        }

        return offers;
    }

    /// <summary>Null where no request of the shape is allowed or challenged.</summary>
    private CatalogueOffer? Offer(WorkloadIdentity identity, BusinessProcess process, CatalogueItem item)
    {
        if (Shape(identity, process, item) is not var (inputs, gate))
        {
            return null;
        }

        // Where nothing of the request was read, this is what every request of the shape is told, step for step.
        var decision = Decide(inputs, gate);
        if (inputs.ReadsRequest)
        {
            return OfferThatDepends(identity, process, item);
        }

        return decision.Grant is not { MaxTtl: var maxTtl }
            ? null
            : new()
            {
                Process = process,
                Agent = inputs.Agent,
                Entry = item.Entry,
                MaxTtl = maxTtl,
                Outcome = decision.Effect switch
                {
                    _ when FormOf(item).Any() => OfferOutcome.Depends,
                    PolicyEffect.Challenge => OfferOutcome.Challenge,
                    _ => OfferOutcome.Allow,
                },
                Asks = decision.Approval?.Demands ?? [],
                DependsOn = [.. FormOf(item)],
            };
    }

    private CatalogueOffer? OfferThatDepends(WorkloadIdentity identity, BusinessProcess process, CatalogueItem item)
    {
        if (Shape(identity, process, item) is not var (inputs, gate))
        {
            return null;
        }

        var dependsOn = new SortedSet<string>(FormOf(item), StringComparer.Ordinal);
        var obligations = new ObligationFold(item.Entry.MaxTtl);
        var (mayAllow, mayChallenge) = (false, false);
        foreach (var rule in _rules.Where(rule => rule.MayMatch(inputs.Agent, item.Entry.Name)))
        {
            inputs.ReadsRequest = false;
            var matched = rule.When.Run(inputs);
            if (inputs.ReadsRequest)
            {
                // Even where the answer is known: what it takes to come to it is not, and the steps of a decision are
                // bounded.
                dependsOn.UnionWith(ShapeInputs.NamesIn(rule.When));
            }
            else if (!matched.IsTrue && !matched.IsFalse)
            {
                return null;
            }

            if (matched.IsTrue && rule.Effect == PolicyEffect.Deny)
            {
                // Run to its end it denies, and cut short it denies as well.
                return null;
            }

            if (!matched.IsFalse)
            {
                mayAllow |= rule.Effect == PolicyEffect.Allow;
                mayChallenge |= rule.Effect == PolicyEffect.Challenge;
                obligations.Add(matched.IsTrue ? rule.Bound : null);
            }
        }

        return
            (!mayAllow && !mayChallenge)
            || gate.Effect(item.Entry, inputs.IsReversible, mayChallenge) == PolicyEffect.Deny
            ? null
            : new()
            {
                Process = process,
                Agent = inputs.Agent,
                Entry = item.Entry,
                MaxTtl = obligations.MaxTtl,
                Outcome = OfferOutcome.Depends,
                Asks = [],
                DependsOn = [.. dependsOn],
            };
    }

    /// <summary>What has to have a form that the entry says, whatever the rules are.</summary>
    private static IEnumerable<string> FormOf(CatalogueItem item) =>
        [.. item.Entry.Params is null ? [] : Params, .. item.ToolSchemas is null ? [] : ToolCall];

    /// <summary>What is known of every request for the entry; null where the identity is not admitted.</summary>
    private (ShapeInputs Inputs, AutonomyGate Gate)? Shape(
        WorkloadIdentity identity,
        BusinessProcess process,
        CatalogueItem item
    )
    {
        // An exchange names its task, so the gate does not depend on it.
        var task = new AgentTask("named", process.Name, "");
        var inputs = new ShapeInputs(identity, _locals)
        {
            Task = task,
            Process = process,
            Request = new() { Credential = item.Entry.Name, Actions = item.Entry.Actions },
            Credential = item,
            IsReversible = item.IsReversibleIn(process),
            Ttl = item.Entry.MaxTtl,
        };
        if (Admit(inputs, process, out _) is not null)
        {
            return null;
        }

        var gate = AutonomyGate.For(process, identity, task);
        (inputs.FailedGate, inputs.IsGateOpen) = (gate.Failed, gate.IsOpen);
        return (inputs, gate);
    }
}
