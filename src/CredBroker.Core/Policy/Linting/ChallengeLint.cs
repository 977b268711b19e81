using CredBroker.Core.Identity;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.Policy.Linting;

/// <summary>Looks at what rules and people decide together: challenges in vain, and rules that others leave nothing to.</summary>
internal static class ChallengeLint
{
    private static readonly WorkloadIdentity Anybody = new()
    {
        Proof = ProofMethod.Oidc,
        Issuer = "",
        Subject = "",
        Workload = "",
        ProofExpiresAt = default,
        ProofHash = "",
    };

    public static void Check(RuleScope rule, List<RuleScope> all, PolicyDraft draft, PolicyFaultList warnings)
    {
        if (rule.Fault is not null)
        {
            return;
        }

        switch (rule.Draft.Effect)
        {
            case PolicyEffect.Allow:
                CheckAllow(rule, all, draft, warnings);
                break;
            case PolicyEffect.Challenge:
                CheckChallenge(rule, all, draft, warnings);
                break;
            case PolicyEffect.Deny when ShadowOf(rule, all, PolicyEffect.Deny) is { } shadow:
                warnings.Add(
                    rule.Draft.Id,
                    $"the rule `{rule.Id}` adds nothing: whatever it matches is denied by `{shadow.Id}`, too"
                );
                break;
        }
    }

    public static void CheckLimit(LimitDraft limit, PolicyDraft draft, PolicyFaultList warnings)
    {
        if (limit.Limit.Challenge is not { } clause)
        {
            return;
        }

        foreach (var process in draft.Processes.Where(process => clause.For(process.Process, Anybody) is null))
        {
            warnings.Add(
                limit.Id,
                $"the limit `{limit.Limit.Id}` has nobody to ask in the process `{process.Name.Text}`: "
                    + "too few may approve, or there is no owner, and its breach is a denial there"
            );
        }
    }

    private static void CheckAllow(RuleScope rule, List<RuleScope> all, PolicyDraft draft, PolicyFaultList warnings)
    {
        if (ShadowOf(rule, all, PolicyEffect.Challenge) is { } challenge)
        {
            warnings.Add(
                rule.Draft.Id,
                $"the rule `{rule.Id}` lets nothing run alone: whatever it matches is challenged by `{challenge.Id}`"
            );
        }

        var items = draft.Credentials.Select(credential => credential.Item).Where(rule.Reaches).ToList();
        if (
            items.TrueForAll(item => !all.Exists(other => other.Challenges && other.Reaches(item)))
            && rule.Processes.All(process => IsConstrained(process, items))
        )
        {
            warnings.Add(
                rule.Draft.Id,
                $"the rule `{rule.Id}` allows nothing: the autonomy gate denies what is of high impact and cannot be "
                    + "undone in a process without an owner or without toleratesRuntimeAction, unless a rule challenges it"
            );
        }
    }

    private static void CheckChallenge(RuleScope rule, List<RuleScope> all, PolicyDraft draft, PolicyFaultList warnings)
    {
        var (clause, approval) = (rule.Draft.Approval!, (YamlMapping)rule.Draft.ApprovalAt!);
        if (rule.Processes.All(process => clause.For(process, Anybody) is null))
        {
            warnings.Add(
                approval,
                $"nobody could approve what `{rule.Id}` challenges: too few may, or there is no owner"
            );
        }

        CheckEscalation(rule, approval, warnings);
        CheckShown(rule, approval, draft, warnings);
        if (clause.Demand.TimeBox is not null && TimeBoxTakers.In(rule, draft) is { Others: [var first, ..] })
        {
            warnings.Add(
                approval.Entries.Find(entry => entry.Key.Text == "timeBox").Value,
                $"no time box is offered for `{first}`, which is of high impact or cannot be undone: people are asked each time"
            );
        }

        if (clause.Demand.Executor is not { Length: > 0 } executor)
        {
            return;
        }

        var at = approval.Entries.Find(entry => entry.Key.Text == "executor").Value;
        if (rule.PinnedTo("agent") == executor)
        {
            warnings.Add(at, $"the executor `{executor}` is the agent that asks: leave it out");
        }
        else if (!rule.Processes.Any(process => process.Agents.Contains(executor)))
        {
            warnings.Add(
                at,
                $"no process that `{rule.Id}` is for has an agent `{executor}`: nobody could redeem the approval"
            );
        }

        if (
            all.Find(other =>
                other != rule
                && other.Covers(rule)
                && other.Draft.Approval?.Demand.Executor is { Length: > 0 } another
                && another != executor
            ) is
            { } contrary
        )
        {
            warnings.Add(
                at,
                $"whatever `{rule.Id}` matches is challenged by `{contrary.Id}`, too, and for another executor: "
                    + "it is always denied"
            );
        }
    }

    // In no process of the rule, so that one whose owner happens to be among the approvers is nobody's mistake.
    private static void CheckEscalation(RuleScope rule, YamlMapping approval, PolicyFaultList warnings)
    {
        var clause = rule.Draft.Approval!;
        if (
            clause.Demand.Escalation is not null
            && rule
                .Processes.Select(process => clause.For(process, Anybody)?.Demands[0])
                .OfType<ApprovalDemand>()
                .ToList()
                is { Count: > 0 } demands
            && demands.TrueForAll(demand =>
                demand.Escalation?.To.Except(demand.Approvers).Except(demand.NotBy).Any() is not true
            )
        )
        {
            warnings.Add(
                approval.Entries.Find(entry => entry.Key.Text == "escalate").Value,
                $"`to` adds nobody whom `{rule.Id}` does not ask already"
            );
        }
    }

    // Where a rule is of several credentials, an argument that is shown may be known to one of them alone.
    private static void CheckShown(RuleScope rule, YamlNode at, PolicyDraft draft, PolicyFaultList warnings)
    {
        var tool = rule.PinnedTo("toolCall.name");
        foreach (var item in draft.Credentials.Select(credential => credential.Item).Where(rule.Reaches))
        {
            var schemas = item.ToolSchemas?.Where(pair => tool is null || tool == pair.Key).ToList();
            foreach (var shown in rule.Draft.Approval!.Demand.Show)
            {
                if (schemas?.Exists(pair => pair.Value.Declares(ShownArgument.NamesOf(shown.Path))) == false)
                {
                    warnings.Add(
                        at,
                        $"`{shown.Label}` is shown as absent for `{item.Entry.Name}`: its schemas have no `{shown.Path}`"
                    );
                }
            }
        }
    }

    private static bool IsConstrained(BusinessProcess process, List<CatalogueItem> items) =>
        (!process.ToleratesRuntimeAction || process.Owner is null)
        && items.TrueForAll(item => item.Entry.Impact == ImpactLevel.High && !item.IsReversibleIn(process));

    /// <summary>Of two that match the same, the first casts the shadow.</summary>
    private static RuleScope? ShadowOf(RuleScope rule, List<RuleScope> all, PolicyEffect effect) =>
        all.Find(other =>
            other != rule
            && other.Draft.Effect == effect
            && other.Covers(rule)
            && (rule.Draft.Effect != effect || !rule.Covers(other) || all.IndexOf(other) < all.IndexOf(rule))
        );
}
