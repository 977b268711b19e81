using CredBroker.Cel;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <summary>A policy document, parsed and compiled once: an immutable snapshot that decides purely.</summary>
public sealed class PolicySet
{
    private readonly Dictionary<string, CatalogueItem> _items;
    private readonly Dictionary<string, CelProgram> _agents;
    private readonly PolicyRule[] _rules;
    private readonly int _locals;

    internal PolicySet(
        string hash,
        IEnumerable<BusinessProcess> processes,
        IEnumerable<CatalogueItem> items,
        IEnumerable<KeyValuePair<string, CelProgram>> agents,
        IEnumerable<PolicyRule> rules
    )
    {
        Hash = hash;
        Processes = processes.ToDictionary(process => process.Name, StringComparer.Ordinal);
        _items = items.ToDictionary(item => item.Entry.Name, StringComparer.Ordinal);
        Credentials = _items.ToDictionary(pair => pair.Key, pair => pair.Value.Entry, StringComparer.Ordinal);
        _agents = agents.ToDictionary(StringComparer.Ordinal);
        _rules = [.. rules];
        _locals = _agents
            .Values.Concat(_rules.Select(rule => rule.When))
            .Select(program => program.Locals)
            .DefaultIfEmpty()
            .Max();
    }

    /// <summary>SHA-256 of the document and its schemas, lower-case hex.</summary>
    public string Hash { get; }

    /// <summary>The catalogue by name.</summary>
    public IReadOnlyDictionary<string, CatalogueEntry> Credentials { get; }

    /// <summary>The processes by name.</summary>
    public IReadOnlyDictionary<string, BusinessProcess> Processes { get; }

    /// <summary>The names of the agents.</summary>
    public IReadOnlyCollection<string> Agents => _agents.Keys;

    /// <summary>What bounds every request, whatever the rules say.</summary>
    public IReadOnlyList<PolicyLimit> Limits { get; init; } = [];

    /// <summary>Whether the identity may claim the process, and as which agent.</summary>
    public Admission Admit(WorkloadIdentity identity, string process)
    {
        if (!Processes.TryGetValue(process, out var found))
        {
            return new("", PolicyRefusals.ProcessUnknown);
        }

        var inputs = new PolicyInputs(identity, _locals);
        var refusal = Admit(inputs, found, out _);
        return new(inputs.Agent, refusal);
    }

    /// <summary>
    /// Decides a request. Pure: no I/O, no clock.
    /// <list type="number">
    /// <item>The process must be known and admit the identity through exactly one of its agents.</item>
    /// <item>
    /// The catalogue must offer the credential with these actions, and the tool call's arguments must fit their schema.
    /// </item>
    /// <item>
    /// Every rule is tried; one that fails denies. Deny beats challenge beats allow; nothing matching denies.
    /// </item>
    /// <item>The autonomy gate may be stricter than the rules, never laxer; what it alone asks, it asks the owner.</item>
    /// <item>What is granted is the strictest of all that matched.</item>
    /// </list>
    /// </summary>
    public Decision Evaluate(WorkloadIdentity identity, AgentTask task, CredentialRequest request)
    {
        var decision = Judge(identity, task, request);
        return Limits.Count == 0 ? decision : decision with { Limits = Limits };
    }

    private Decision Judge(WorkloadIdentity identity, AgentTask task, CredentialRequest request)
    {
        // 1. Who is asking, for which process.
        if (!Processes.TryGetValue(task.Process, out var process))
        {
            return Deny(PolicyRefusals.ProcessUnknown, "the policy has no such process");
        }

        var inputs = new PolicyInputs(identity, _locals)
        {
            Task = task,
            Request = request,
            Process = process,
        };
        if (Admit(inputs, process, out var explanation) is { } notAdmitted)
        {
            return Deny(notAdmitted, explanation);
        }

        // 2. What is asked for.
        if (!_items.TryGetValue(request.Credential, out var item))
        {
            return Deny(PolicyRefusals.CredentialUnknown, "the catalogue has no such credential") with
            {
                Agent = inputs.Agent,
            };
        }

        if (item.Check(request) is { } refusal)
        {
            return Deny(refusal, refusal.Detail) with { Agent = inputs.Agent };
        }

        var gate = AutonomyGate.For(process, identity, task);
        inputs.Credential = item;
        inputs.IsReversible =
            item.Entry.Reversible
            && (
                item.Entry.Vault.Revocation == RevocationReach.Backend
                || process.AcceptsUnrevocable.Contains(item.Entry.Name)
            );
        inputs.Ttl = request.Ttl ?? item.Entry.MaxTtl;
        inputs.FailedGate = gate.Failed;

        // 3. The rules, 4. the gate, 5. the grant.
        return Decide(inputs, gate);
    }

    /// <summary>Names the one agent that admits the identity in the inputs, or says why there is none.</summary>
    private Refusal? Admit(PolicyInputs inputs, BusinessProcess process, out string explanation)
    {
        var agent = "";
        foreach (var name in process.Agents)
        {
            var admits = _agents[name].Run(inputs);
            if (admits.IsFalse)
            {
                continue;
            }

            if (!admits.IsTrue)
            {
                explanation = $"the condition of agent {name} failed: {ErrorOf(admits)}";
                return PolicyRefusals.RuleFailed;
            }

            if (agent.Length > 0)
            {
                explanation = $"agents {agent} and {name} of process {process.Name} both admit the identity";
                return PolicyRefusals.AgentAmbiguous;
            }

            agent = name;
        }

        if (agent.Length == 0)
        {
            explanation = $"no agent of process {process.Name} admits the identity";
            return PolicyRefusals.ProcessNotAdmitted;
        }

        inputs.Agent = agent;
        explanation = "";
        return null;
    }

    private Decision Decide(PolicyInputs inputs, AutonomyGate gate)
    {
        var matches = new RuleMatches(inputs);
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
                return DenyFor(PolicyRefusals.RuleFailed, $"rule {rule.Id} failed: {ErrorOf(matched)}") with
                {
                    RuleId = rule.Id,
                };
            }
        }

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
        if (byGate == PolicyEffect.Challenge && matches.Challenges is null && !matches.Ask(ApprovalClause.OfGate))
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

        Decision DenyFor(Refusal refusal, string explanation) =>
            Deny(refusal, explanation) with
            {
                Agent = inputs.Agent,
                MatchedRules = matches.Ids,
                Gate = gate.Conditions,
            };
    }

    private static Grant GrantOf(PolicyInputs inputs, TimeSpan maxTtl) =>
        new()
        {
            Entry = inputs.Credential.Entry,
            Process = inputs.Process,
            Ttl = inputs.Ttl < maxTtl ? inputs.Ttl : maxTtl,
            MaxTtl = maxTtl,
            TtlCut = inputs.Request.Ttl > maxTtl,
        };

    private Decision Deny(Refusal refusal, string explanation) =>
        new()
        {
            Effect = PolicyEffect.Deny,
            PolicyHash = Hash,
            Refusal = refusal,
            Explanation = explanation,
        };

    private static string ErrorOf(CelValue value) =>
        value.TryError ?? $"it gave a value of type {CelType.NameOf(value.Kind)}, not a truth value";
}
