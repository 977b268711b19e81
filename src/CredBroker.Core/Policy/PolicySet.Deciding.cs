using CredBroker.Cel;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <content>The rules, the gate and the grant.</content>
public sealed partial class PolicySet
{
    /// <summary>What the rules in force and the gate make of it.</summary>
    private Decision Decide(PolicyInputs inputs, AutonomyGate gate) => Decide(inputs, gate, new RuleMatches(inputs));

    /// <summary>The same, with what the rules in shadow would have made of it.</summary>
    private Decision DecideWithShadows(PolicyInputs inputs, AutonomyGate gate)
    {
        var matches = new RuleMatches(inputs);
        var decision = Decide(inputs, gate, matches);
        // Where a rule failed, not all were tried, and nobody knows what one more would have changed.
        return _shadows.Length == 0 || decision.Refusal?.Code == RefusalCode.RuleFailed
            ? decision
            : decision with
            {
                Shadow = Try(inputs, gate, matches),
            };
    }

    private Decision Decide(PolicyInputs inputs, AutonomyGate gate, RuleMatches matches)
    {
        foreach (var rule in _rules)
        {
            if (!rule.MayMatch(inputs.Agent, inputs.Credential.Entry.Name))
            {
                continue;
            }

            var matched = rule.When.Run(inputs);
            if (matched.IsTrue)
            {
                matches.Add(rule);
            }
            else if (!matched.IsFalse)
            {
                return Deny(PolicyRefusals.RuleFailed, Failed(rule, matched), inputs, gate, matches) with
                {
                    RuleId = rule.Id,
                };
            }
        }

        return Combine(inputs, gate, matches);
    }

    /// <summary>
    /// What the rules in shadow would have made of it. They run after all others, so that their steps are missed by none.
    /// </summary>
    private List<ShadowOutcome>? Try(PolicyInputs inputs, AutonomyGate gate, RuleMatches matches)
    {
        List<ShadowOutcome>? outcomes = null;
        foreach (var rule in _shadows)
        {
            if (
                !rule.MayMatch(inputs.Agent, inputs.Credential.Entry.Name)
                || rule.When.Run(inputs) is not { IsFalse: false } matched
            )
            {
                continue;
            }

            outcomes ??= [];
            if (!matched.IsTrue)
            {
                outcomes.Add(new(rule.Id, PolicyEffect.Deny, Failed(rule, matched)));
                continue;
            }

            var would = Combine(inputs, gate, matches.With(rule));
            outcomes.Add(new(rule.Id, would.Effect, would.Explanation));
        }

        return outcomes;
    }

    /// <summary>Deny beats challenge beats allow, and the gate may be stricter.</summary>
    private Decision Combine(PolicyInputs inputs, AutonomyGate gate, RuleMatches matches)
    {
        if (matches.Denies is { } denies)
        {
            return DenyFor(PolicyRefusals.DeniedByRule, denies.Explanation) with { RuleId = denies.Id };
        }

        if (matches.Challenges is null && matches.Allows is null)
        {
            return DenyFor(PolicyRefusals.NoRuleAllows, "no rule allows it");
        }

        var byGate = gate.Effect(inputs.Credential.Entry, inputs.IsReversible, matches.Challenges is not null);
        if (byGate == PolicyEffect.Deny)
        {
            return DenyFor(
                PolicyRefusals.GateDenied,
                "the autonomy gate denies a high-impact step that cannot be undone"
            );
        }

        // The gate asks nobody where a rule has people decide already.
        if (byGate == PolicyEffect.Challenge && matches.Challenges is null && !matches.Ask(ApprovalClause.OfOwner))
        {
            return DenyFor(
                PolicyRefusals.NobodyToAsk,
                "the autonomy gate asks for the approval of the process's owner, and there is none who could give it"
            );
        }

        if (matches.Unanswerable is { } unanswerable)
        {
            return DenyFor(
                PolicyRefusals.NobodyToAsk,
                $"rule {unanswerable.Id} asks for more people than may approve it in this process"
            ) with
            {
                RuleId = unanswerable.Id,
            };
        }

        var obligations = matches.Obligations;
        if (obligations.ExecutorsDiffer)
        {
            return DenyFor(PolicyRefusals.ExecutorsDiffer, "the rules that challenge it name different executors");
        }

        var granted = new Decision
        {
            Effect = PolicyEffect.Allow,
            PolicyHash = Hash,
            Agent = inputs.Agent,
            RuleId = matches.Allows?.Id ?? "",
            MatchedRules = matches.Ids,
            Gate = gate.Conditions,
            Explanation = matches.Allows?.Explanation ?? "",
            Grant = GrantOf(inputs, obligations.MaxTtl),
        };
        return obligations.Approval is not { } approval
            ? granted
            : granted with
            {
                Effect = PolicyEffect.Challenge,
                RuleId = matches.Challenges?.Id ?? "",
                Explanation =
                    matches.Challenges?.Explanation ?? "the autonomy gate asks for the approval of the process's owner",
                Refusal = PolicyRefusals.ApprovalNeeded,
                Obligations = [approval],
            };

        Decision DenyFor(Refusal refusal, string explanation) => Deny(refusal, explanation, inputs, gate, matches);
    }

    private static Grant GrantOf(PolicyInputs inputs, TimeSpan maxTtl) =>
        new()
        {
            Entry = inputs.Credential.Resolve(inputs.Request),
            Process = inputs.Process,
            Ttl = inputs.Ttl < maxTtl ? inputs.Ttl : maxTtl,
            MaxTtl = maxTtl,
            TtlCut = inputs.Request.Ttl > maxTtl,
        };

    private Decision Deny(
        Refusal refusal,
        string explanation,
        PolicyInputs inputs,
        AutonomyGate gate,
        RuleMatches matches
    ) => Deny(refusal, explanation) with { Agent = inputs.Agent, MatchedRules = matches.Ids, Gate = gate.Conditions };

    private static string Failed(PolicyRule rule, CelValue value) => $"rule {rule.Id} failed: {ErrorOf(value)}";
}
