using CredBroker.Cel;
using CredBroker.Cel.Syntax;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.Policy.Linting;

/// <summary>
/// Looks for what a policy says that its author can hardly mean. It reasons about top-level conjuncts of the form
/// <c>path == "text"</c> alone, so it misses much and should be wrong about nothing.
/// </summary>
public static class PolicyLint
{
    /// <summary>
    /// Every warning, in the order of the document's lines; none where the document does not compile (its faults come
    /// first).
    /// </summary>
    public static IReadOnlyList<PolicyFault> Check(PolicyDocument document)
    {
        var draft = PolicyReader.Read(document);
        if (draft.Faults.Any)
        {
            return [];
        }

        var warnings = new PolicyFaultList();
        var rules = draft.Rules.ConvertAll(rule => new RuleScope(rule, draft));
        var reach = rules.FindAll(rule => !rule.Draft.IsShadow);
        foreach (var agent in draft.Agents)
        {
            CheckAgent(agent, draft, warnings);
        }

        foreach (var process in draft.Processes.Where(process => process.Process.Owner is null))
        {
            warnings.Add(
                process.Name,
                $"the process `{process.Name.Text}` has no owner: its agents may only read what is of low impact"
            );
        }

        foreach (
            var credential in draft.Credentials.Where(credential =>
                !reach.Exists(rule => rule.IsGrant && rule.Fault is null && rule.Reaches(credential.Item))
            )
        )
        {
            warnings.Add(credential.Name, $"no rule allows the credential `{credential.Name.Text}`: nobody can get it");
        }

        foreach (var rule in rules)
        {
            CheckRule(rule, reach, draft, warnings);
        }

        foreach (var credential in draft.Credentials)
        {
            ParameterLint.Check(credential, reach, warnings);
        }

        foreach (var (template, other) in PathOverlap.In(draft.Credentials, isCertain: false))
        {
            warnings.Add(
                template.Name,
                $"{PathOverlap.Describe(template, other)}, unless their patterns have no value in common: "
                    + "the rules about either must hold for both"
            );
        }

        foreach (var limit in draft.Limits)
        {
            CheckLimit(limit, draft, warnings);
        }

        return warnings.ToList();
    }

    private static void CheckLimit(LimitDraft limit, PolicyDraft draft, PolicyFaultList warnings)
    {
        // What others have used up is no fault of the one that asks next.
        if (
            limit.Limit is { QuarantineFor: not null, Per: not LimitScope.Instance }
            && (limit.Limit.MaxActive is not null || limit.Limit.MaxIssued is not null)
        )
        {
            warnings.Add(
                limit.Id,
                $"the limit `{limit.Limit.Id}` quarantines the instance that happens to ask last: "
                    + "let its breach deny, or count per instance"
            );
        }

        ChallengeLint.CheckLimit(limit, draft, warnings);
    }

    private static void CheckAgent(AgentDraft agent, PolicyDraft draft, PolicyFaultList warnings)
    {
        if (!draft.Processes.Exists(process => process.Process.Agents.Contains(agent.Name.Text)))
        {
            warnings.Add(agent.Name, $"the agent `{agent.Name.Text}` belongs to no process: it can ask for nothing");
        }

        if (
            !agent
                .Member!.Pins()
                .Any(pin =>
                    pin.Text.Length > 0
                    && pin.Path is "identity.issuer" or "identity.trustDomain" or "identity.spiffeId"
                )
        )
        {
            warnings.Add(
                agent.Source!,
                $"the agent `{agent.Name.Text}` may come from any issuer: "
                    + "compare identity.issuer or identity.trustDomain by == with a text"
            );
        }

        CheckAll(agent.Member!, agent.Source!, draft, warnings);
    }

    private static void CheckRule(RuleScope rule, List<RuleScope> all, PolicyDraft draft, PolicyFaultList warnings)
    {
        var (source, program) = (rule.Draft.Source!, rule.Draft.When!);
        if (rule.Fault is { } never)
        {
            warnings.Add(source, $"the rule `{rule.Id}` can never match: {never}");
        }
        else if (rule.IsGrant && all.Find(other => !other.IsGrant && other.Covers(rule)) is { } shadow)
        {
            warnings.Add(
                rule.Draft.Id,
                $"the rule `{rule.Id}` {(rule.Draft.Effect == PolicyEffect.Allow ? "allows" : "challenges")} nothing: "
                    + $"whatever it matches is denied by `{shadow.Id}`"
            );
        }

        if (rule is { Draft.Effect: PolicyEffect.Allow, Fault: null } && !rule.Reads)
        {
            warnings.Add(
                source,
                $"the rule `{rule.Id}` allows everything in the catalogue to every agent of every process: "
                    + "say which, such as agent == \"NAME\" && credential.name == \"NAME\""
            );
        }

        foreach (var (offset, message) in UnknownNames.In(program, draft))
        {
            Warn(message, offset);
        }

        CheckAll(program, source, draft, warnings);
        CheckMaxTtl(rule, draft, warnings);
        ChallengeLint.Check(rule, all, draft, warnings);
        ParameterLint.Check(rule, draft, warnings);

        void Warn(string message, int offset)
        {
            var (line, column) = source.Locate(draft.Document.Text, offset);
            warnings.Add(line, column, message);
        }
    }

    private static void CheckMaxTtl(RuleScope rule, PolicyDraft draft, PolicyFaultList warnings)
    {
        if (rule.Draft is not { MaxTtl: { } maxTtl, MaxTtlAt: { } at } || rule.Fault is not null)
        {
            return;
        }

        foreach (
            var entry in draft
                .Credentials.Where(credential => rule.Reaches(credential.Item))
                .Select(credential => credential.Item.Entry)
        )
        {
            if (maxTtl < entry.MaxTtl / 2)
            {
                warnings.Add(
                    at,
                    $"maxTtl is under half of what `{entry.Name}` lives in Vault "
                        + $"({PolicyDuration.Format(entry.MaxTtl)}), "
                        + "and with Vault unreachable that is how long it lives: split the Vault role"
                );
                return;
            }
        }
    }

    // all() holds for every element of nothing.
    private static void CheckAll(CelProgram program, YamlScalar source, PolicyDraft draft, PolicyFaultList warnings)
    {
        var everything = program.Expression.All().ToList();
        var sized = everything
            .OfType<CelExpression.Call>()
            .Where(call => call.Function == "size")
            .Select(call => call.Arguments[0].Path)
            .OfType<string>()
            .ToHashSet(StringComparer.Ordinal);
        foreach (var macro in everything.OfType<CelExpression.Macro>().Where(macro => macro.Kind == CelMacro.All))
        {
            // A request's actions are never empty.
            if (
                macro.Range is CelExpression.ListOf { Items.Count: > 0 }
                || macro.Range.Path is { } path && (path == "request.actions" || sized.Contains(path))
            )
            {
                continue;
            }

            var (line, column) = source.Locate(draft.Document.Text, macro.Offset);
            warnings.Add(line, column, "all() is true for an empty list: ask for size() > 0 too, or use exists()");
        }
    }
}
