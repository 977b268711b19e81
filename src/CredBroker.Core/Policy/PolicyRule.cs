using CredBroker.Cel;

namespace CredBroker.Core.Policy;

/// <summary>A rule, compiled.</summary>
internal sealed class PolicyRule(
    string id,
    PolicyEffect effect,
    CelProgram when,
    TimeSpan? maxTtl,
    ApprovalClause? approval = null
)
{
    private readonly string? _agent = Pin(when, "agent");
    private readonly string? _credential = Pin(when, "credential.name");

    public string Id => id;

    public PolicyEffect Effect => effect;

    public CelProgram When => when;

    /// <summary>What people are asked where the rule challenges; null where it does not.</summary>
    public ApprovalClause? Approval => approval;

    /// <summary>How the rule bounds a secret's life, made once; null where it does not.</summary>
    public Obligation? Bound { get; } = maxTtl is { } bound ? new Obligation.LivesAtMost(bound) : null;

    /// <summary>The list of matched rules where this is the only one, made once.</summary>
    public IReadOnlyList<string> Alone { get; } = [id];

    /// <summary>The explanation where this rule decides, made once.</summary>
    public string Explanation { get; } =
        effect switch
        {
            PolicyEffect.Allow => $"allowed by rule {id}",
            PolicyEffect.Challenge => $"rule {id} asks for a person's approval",
            _ => $"denied by rule {id}",
        };

    /// <summary>
    /// Whether the condition could be true for this agent and credential. Where a conjunct fixes one of them and it is
    /// another, the condition is false whatever the rest of it does (CEL's <c>&amp;&amp;</c> absorbs errors), so most
    /// rules of a large policy need not run.
    /// </summary>
    public bool MayMatch(string forAgent, string forCredential) =>
        (_agent is null || string.Equals(_agent, forAgent, StringComparison.Ordinal))
        && (_credential is null || string.Equals(_credential, forCredential, StringComparison.Ordinal));

    private static string? Pin(CelProgram when, string path) =>
        when.Pins().FirstOrDefault(pin => pin.Path == path).Text;
}
