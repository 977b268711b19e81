using System.Text.Json.Serialization;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>
/// What policy says to one request, and why. A pure value: the same inputs under the same policy give an equal
/// decision.
/// </summary>
public sealed record Decision
{
    /// <summary>Allow, challenge or deny.</summary>
    public required PolicyEffect Effect { get; init; }

    /// <summary>SHA-256 of the policy document that decided, as lower-case hex.</summary>
    public required string PolicyHash { get; init; }

    /// <summary>The entry of the process's agents that admitted the identity; empty when none did.</summary>
    public string Agent { get; init; } = "";

    /// <summary>The rule that decided; empty when no rule did.</summary>
    public string RuleId { get; init; } = "";

    /// <summary>Every rule that matched, in the document's order.</summary>
    public IReadOnlyList<string> MatchedRules { get; init; } = [];

    /// <summary>The autonomy gate's conditions and whether each held.</summary>
    public IReadOnlyList<GateCondition> Gate { get; init; } = [];

    /// <summary>Why not, where the effect is not allow. Names no rule text.</summary>
    public Refusal? Refusal { get; init; }

    /// <summary>For the auditor alone: the rule's own error, the constraint that failed.</summary>
    public string Explanation { get; init; } = "";

    /// <summary>What is granted, where the effect is allow.</summary>
    public Grant? Grant { get; init; }
}

/// <summary>The effect of a decision; a stricter one has the higher number.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<PolicyEffect>))]
public enum PolicyEffect
{
    /// <summary>May run.</summary>
    Allow,

    /// <summary>A human decides.</summary>
    Challenge,

    /// <summary>May not run.</summary>
    Deny,
}

/// <summary>One condition of the autonomy gate, and whether it held.</summary>
/// <param name="Name"><c>process-tolerates</c>, <c>owner</c>, <c>policy</c> or <c>attributable</c>.</param>
/// <param name="Holds">Whether it held.</param>
public sealed record GateCondition(string Name, bool Holds);

/// <summary>What an allow decision grants.</summary>
public sealed record Grant
{
    /// <summary>The resolved catalogue entry.</summary>
    public required CatalogueEntry Entry { get; init; }

    /// <summary>The process it is for, with its owner.</summary>
    public required BusinessProcess Process { get; init; }

    /// <summary>The life of the secret at issuance.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>The secret's whole life, renewals included: the smaller of rule and catalogue.</summary>
    public required TimeSpan MaxTtl { get; init; }

    /// <summary>Whether the request asked for more than was granted.</summary>
    public required bool TtlCut { get; init; }
}
