using CredBroker.Cel;

namespace CredBroker.Core.Policy.Document;

/// <summary>
/// A document as far as it could be read, with the places where its parts stand: what the policy is compiled from, and
/// what the linter looks at.
/// </summary>
internal sealed class PolicyDraft(PolicyDocument document)
{
    public PolicyDocument Document => document;

    public PolicyFaultList Faults { get; } = new();

    public List<AgentDraft> Agents { get; } = [];

    public List<ProcessDraft> Processes { get; } = [];

    public List<CredentialDraft> Credentials { get; } = [];

    public List<RuleDraft> Rules { get; } = [];

    public List<LimitDraft> Limits { get; } = [];

    public PolicyCompilation ToCompilation() =>
        Faults.Any
            ? new(null, Faults.ToList())
            : new(
                new(
                    PolicyHash.Of(Document),
                    Processes.Select(process => process.Process),
                    Credentials.Select(credential => credential.Item),
                    Agents.Select(agent => KeyValuePair.Create(agent.Name.Text, agent.Member!)),
                    Rules.Select(rule => new PolicyRule(
                        rule.Id.Text,
                        rule.Effect,
                        rule.When!,
                        rule.MaxTtl,
                        rule.Approval,
                        rule.IsShadow
                    ))
                )
                {
                    Limits = [.. Limits.Select(limit => limit.Limit)],
                },
                []
            );
}

/// <summary>An agent; without a condition where that did not compile.</summary>
internal sealed record AgentDraft(YamlScalar Name, CelProgram? Member, YamlScalar? Source);

/// <summary>A process.</summary>
internal sealed record ProcessDraft(YamlScalar Name, BusinessProcess Process, IReadOnlyList<YamlScalar> Agents);

/// <summary>A catalogue entry.</summary>
internal sealed record CredentialDraft(YamlScalar Name, CatalogueItem Item);

/// <summary>A rule; without a condition where that did not compile.</summary>
internal sealed record RuleDraft(
    YamlScalar Id,
    PolicyEffect Effect,
    CelProgram? When,
    YamlScalar? Source,
    TimeSpan? MaxTtl,
    YamlNode? MaxTtlAt
)
{
    /// <summary>Whether it is only tried.</summary>
    public bool IsShadow { get; init; }

    /// <summary>What a challenge asks of people.</summary>
    public ApprovalClause? Approval { get; init; }

    /// <summary>Where that stands.</summary>
    public YamlNode? ApprovalAt { get; init; }
}

/// <summary>A limit.</summary>
internal sealed record LimitDraft(YamlScalar Id, PolicyLimit Limit);
