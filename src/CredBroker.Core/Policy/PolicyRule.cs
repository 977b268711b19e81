using CredBroker.Core.Policy.Cel;

namespace CredBroker.Core.Policy;

/// <summary>A rule, compiled.</summary>
internal sealed class PolicyRule(string id, PolicyEffect effect, CelProgram when, TimeSpan? maxTtl)
{
    public string Id => id;

    public PolicyEffect Effect => effect;

    public CelProgram When => when;

    /// <summary>For an allow rule: bounds the secret's whole life below the entry's own maximum.</summary>
    public TimeSpan? MaxTtl => maxTtl;

    /// <summary>The list of matched rules where this is the only one, made once.</summary>
    public IReadOnlyList<string> Alone { get; } = [id];

    /// <summary>The explanation where this rule allows, made once.</summary>
    public string Allows { get; } = $"allowed by rule {id}";
}
