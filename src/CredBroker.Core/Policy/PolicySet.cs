using CredBroker.Cel;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <summary>A policy document, parsed and compiled once: an immutable snapshot that decides purely.</summary>
public sealed partial class PolicySet
{
    private readonly Dictionary<string, CatalogueItem> _items;
    private readonly Dictionary<string, CelProgram> _agents;
    private readonly PolicyRule[] _rules;
    private readonly PolicyRule[] _shadows;
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
        var all = rules.ToLookup(rule => rule.IsShadow);
        _rules = [.. all[false]];
        _shadows = [.. all[true]];
        _locals = _agents
            .Values.Concat(_rules.Concat(_shadows).Select(rule => rule.When))
            .Select(program => program.Locals)
            .DefaultIfEmpty()
            .Max();
    }

    private PolicySet(PolicySet other)
    {
        (Hash, Processes, Credentials, Limits) = (other.Hash, other.Processes, other.Credentials, other.Limits);
        (_items, _agents, _rules, _shadows, _locals) = (
            other._items,
            other._agents,
            other._rules,
            other._shadows,
            other._locals
        );
    }

    /// <summary>SHA-256 of the document and its schemas, lower-case hex.</summary>
    public string Hash { get; }

    /// <summary>The catalogue by name.</summary>
    public IReadOnlyDictionary<string, CatalogueEntry> Credentials { get; }

    /// <summary>The processes by name.</summary>
    public IReadOnlyDictionary<string, BusinessProcess> Processes { get; private init; }

    /// <summary>
    /// The same policy where these people are gone, as (issuer, subject): a process of theirs has nobody who answers for
    /// it. Whoever is not among them is not gone.
    /// </summary>
    public PolicySet Without(IReadOnlySet<(string Issuer, string Subject)> gone) =>
        Processes.Values.All(process => process.IsOwnerGone == IsGone(process, gone))
            ? this
            : new(this)
            {
                Processes = Processes.Values.ToDictionary(
                    process => process.Name,
                    process => process with { IsOwnerGone = IsGone(process, gone) },
                    StringComparer.Ordinal
                ),
            };

    private static bool IsGone(BusinessProcess process, IReadOnlySet<(string Issuer, string Subject)> gone) =>
        process.Owner is { } owner && gone.Contains((owner.Issuer, owner.Subject));

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
    /// <item>Rules in shadow are tried last, each for itself, and change nothing.</item>
    /// </list>
    /// </summary>
    public Decision Evaluate(WorkloadIdentity identity, AgentTask task, CredentialRequest request)
    {
        var decision = Judge(identity, task, request, triesShadows: true);
        return Limits.Count == 0 ? decision : decision with { Limits = Limits };
    }

    /// <summary>
    /// The same without the rules in shadow, which decide nothing, and without the limits, which bind only what opens.
    /// </summary>
    public Decision EvaluateInForce(WorkloadIdentity identity, AgentTask task, CredentialRequest request) =>
        Judge(identity, task, request, triesShadows: false);

    private Decision Judge(WorkloadIdentity identity, AgentTask task, CredentialRequest request, bool triesShadows)
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
        inputs.IsReversible = item.IsReversibleIn(process);
        inputs.Ttl = request.Ttl ?? item.Entry.MaxTtl;
        (inputs.FailedGate, inputs.IsGateOpen) = (gate.Failed, gate.IsOpen);

        // 3. The rules, 4. the gate, 5. the grant.
        return triesShadows ? DecideWithShadows(inputs, gate) : Decide(inputs, gate);
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
