using CredBroker.Core.Identity;

namespace CredBroker.Core.Policy;

/// <content>Who receives what others ask for.</content>
public sealed partial class PolicySet
{
    /// <summary>The processes in which the identity is an agent that a rule leaves approvals to, and as which agent.</summary>
    public IReadOnlyDictionary<string, string> ExecutorIn(WorkloadIdentity identity)
    {
        var executors = _rules
            .Select(rule => rule.Approval?.Demand.Executor ?? "")
            .Where(name => name.Length > 0)
            .ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var process in Processes.Values.Where(process => process.Agents.Any(executors.Contains)))
        {
            var admission = Admit(identity, process.Name);
            if (admission.Refusal is null && executors.Contains(admission.Agent))
            {
                found[process.Name] = admission.Agent;
            }
        }

        return found;
    }
}
