using System.Globalization;
using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy.Oracle;

/// <summary>
/// The decision with nothing compiled, skipped or shared: written from the description of policies, which is quoted, and
/// not from the product.
/// </summary>
internal sealed record NaiveDecision(
    RefusalCode? Refusal,
    string Agent = "",
    string Rule = "",
    string Matched = "",
    TimeSpan Ttl = default,
    TimeSpan MaxTtl = default,
    string Asked = ""
)
{
    public static NaiveDecision Of(Model policy, WorkloadIdentity identity, AgentTask task, CredentialRequest request)
    {
        if (policy.Processes.SingleOrDefault(candidate => candidate.Name == task.Process) is not { } process)
        {
            return new(RefusalCode.ProcessUnknown);
        }

        // "task.process counts only after processes.X.agents has admitted the verified identity. An identity that two
        // agents of one process admit is refused."
        var admits = process
            .Agents.Select(name => policy.Agents.Single(agent => agent.Name == name))
            .Select(agent => (agent.Name, Holds: agent.Member.Holds(new() { Identity = identity })))
            .ToList();
        var agents = admits.Where(agent => agent.Holds == true).Select(agent => agent.Name).ToList();
        if (admits.Exists(agent => agent.Holds is null) || agents.Count != 1)
        {
            var (failed, second) = (
                admits.FindIndex(agent => agent.Holds is null),
                agents.Count > 1 ? admits.FindIndex(agent => agent.Name == agents[1]) : -1
            );
            // Which of two reasons is named is the order's choice; that there is no decision is not.
            return new(
                (failed, second) switch
                {
                    (-1, -1) => RefusalCode.ProcessNotAdmitted,
                    (-1, _) => RefusalCode.AgentAmbiguous,
                    (_, -1) => RefusalCode.RuleFailed,
                    _ => failed < second ? RefusalCode.RuleFailed : RefusalCode.AgentAmbiguous,
                }
            );
        }

        var agent = agents[0];
        if (policy.Credentials.SingleOrDefault(entry => entry.Name == request.Credential) is not { } credential)
        {
            return new(RefusalCode.CredentialUnknown, agent);
        }

        // "a request's actions are a non-empty subset"
        if (request.Actions.Count == 0 || request.Actions.Except(credential.Actions).Any())
        {
            return new(RefusalCode.ActionNotOffered, agent);
        }

        if (request.Ttl is { } asked && asked < TimeSpan.FromSeconds(1))
        {
            return new(RefusalCode.FieldInvalid, agent);
        }

        if (credential.HasToolSchema && !IsTransfer(request.ToolCall))
        {
            return new(RefusalCode.ToolArgumentsInvalid, agent);
        }

        return ByRules(policy, identity, task, request, process, agent, credential);
    }

    private static NaiveDecision ByRules(
        Model policy,
        WorkloadIdentity identity,
        AgentTask task,
        CredentialRequest request,
        ModelProcess process,
        string agent,
        ModelCredential credential
    )
    {
        // "(1) the admitted process tolerates runtime action, (2) it has an owner, (4) an identity per instance, a task
        // id"; (3) is that this runs at all.
        var gate = new List<string>();
        AddUnless(process.Tolerates, "process-tolerates");
        AddUnless(process.HasOwner, "owner");
        AddUnless(identity.Instance.Length > 0 && task.Id.Length > 0, "attributable");

        // "credential.reversible is the effective value: false where revocation reaches less than backend, unless the
        // process says acceptsUnrevocable"
        var reversible =
            credential.Reversible
            && (credential.Revocation == "backend" || process.AcceptsUnrevocable.Contains(credential.Name));
        var facts = new Facts
        {
            Identity = identity,
            Agent = agent,
            Task = task,
            Request = request,
            Credential = credential,
            Process = process,
            Reversible = reversible,
            // "an absent ttl is the entry's maxTtl"
            Ttl = request.Ttl ?? credential.MaxTtl,
            FailedGate = gate,
        };

        var matched = new List<ModelRule>();
        foreach (var rule in policy.Rules)
        {
            switch (rule.When.Holds(facts))
            {
                // "An error in any rule denies the request with its own code"
                case null:
                    return new(RefusalCode.RuleFailed, agent, rule.Id, Names(matched));
                case true:
                    matched.Add(rule);
                    break;
            }
        }

        // "Default deny. Among the matching rules deny beats challenge beats allow"
        if (matched.Find(rule => rule.Effect == PolicyEffect.Deny) is { } denies)
        {
            return new(RefusalCode.DeniedByRule, agent, denies.Id, Names(matched));
        }

        if (matched.Count == 0)
        {
            return new(RefusalCode.NoRuleAllows, agent);
        }

        // "the gate answers allow for a low-impact, reversible read, deny for a high-impact irreversible step that no
        // rule challenges, challenge for the rest"
        var challenges = matched.Where(rule => rule.Effect == PolicyEffect.Challenge).ToList();
        var isSmall = credential is { Impact: ImpactLevel.Low, Access: AccessKind.Read } && reversible;
        if (gate.Count > 0 && !isSmall && credential.Impact == ImpactLevel.High && !reversible && challenges.Count == 0)
        {
            return new(RefusalCode.GateDenied, agent, "", Names(matched));
        }

        // "a challenge that only the gate asks for goes to the process's owner"
        var asked = challenges.ConvertAll(rule => (rule.Id, Approval: rule.Approval!));
        if (gate.Count > 0 && !isSmall && challenges.Count == 0)
        {
            asked.Add(("", new(["owner"], 1, 60, "", NotOwner: false)));
        }

        if (asked.Find(one => !CanBeMet(one.Approval, process, identity)) is { Approval: not null } hopeless)
        {
            return new(RefusalCode.NobodyToAsk, agent, hopeless.Id, Names(matched));
        }

        // "every matching challenge's approval met; two different executors deny"
        if (asked.Select(one => one.Approval.Executor).Where(name => name.Length > 0).Distinct().Count() > 1)
        {
            return new(RefusalCode.ExecutorsDiffer, agent, "", Names(matched));
        }

        // "Obligations combine to the strictest: smallest TTL"
        var bounds = matched.Select(rule => rule.MaxTtl).OfType<TimeSpan>().Append(credential.MaxTtl);
        var maxTtl = bounds.Min();
        return new(
            asked.Count > 0 ? RefusalCode.ApprovalNeeded : null,
            agent,
            asked.Count > 0 ? asked[0].Id : matched[0].Id,
            Names(matched),
            facts.Ttl < maxTtl ? facts.Ttl : maxTtl,
            maxTtl,
            string.Join('\n', asked.Select(one => Asks(one.Id, one.Approval, process)))
        );

        void AddUnless(bool holds, string condition)
        {
            if (!holds)
            {
                gate.Add(condition);
            }
        }
    }

    /// <summary>
    /// "Self-approval is refused: the requesting subject, the process owner where the rule says so": whether enough people
    /// may be left. Nobody knows how many are in a group.
    /// </summary>
    private static bool CanBeMet(ModelApproval approval, ModelProcess process, WorkloadIdentity identity)
    {
        var people = People(approval, process).Where(approver => approver.Contains('|')).Distinct().ToList();
        people.Remove($"{identity.Issuer}|{identity.Subject}");
        if (approval.NotOwner)
        {
            people.Remove(OwnerOf(process));
        }

        return approval.Approvers.Any(approver => approver.Contains(':') && !approver.Contains('|'))
            || people.Count >= approval.Quorum;
    }

    private static string Asks(string rule, ModelApproval approval, ModelProcess process) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{rule}: {approval.Quorum} of {string.Join(", ", People(approval, process).Distinct().Order())}, "
                + $"not {(approval.NotOwner ? OwnerOf(process) : "")}, {approval.Minutes} min, {approval.Executor}"
        );

    private static IEnumerable<string> People(ModelApproval approval, ModelProcess process) =>
        approval
            .Approvers.Select(approver => approver == "owner" ? OwnerOf(process) : approver)
            .Where(approver => approver.Length > 0);

    private static string OwnerOf(ModelProcess process) =>
        process.HasOwner ? $"{Model.OwnerIssuer}|{process.Name}-owner" : "";

    /// <summary>What the schema of transfers asks of the call.</summary>
    private static bool IsTransfer(ToolCall? call) =>
        call is { Name: "transfer", Arguments.ValueKind: JsonValueKind.Object }
        && call.Arguments.EnumerateObject().Count() == 2
        && call.Arguments.TryGetProperty("amount", out var amount)
        && amount.ValueKind == JsonValueKind.Number
        && amount.GetDouble() > 0
        && call.Arguments.TryGetProperty("iban", out var iban)
        && iban.GetString() == Cases.Iban;

    private static string Names(IEnumerable<ModelRule> rules) => string.Join(' ', rules.Select(rule => rule.Id));
}
