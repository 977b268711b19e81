using System.Text.Json.Serialization;
using CredBroker.Core.Requests;

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

    /// <summary>
    /// Why not, where the effect is not allow: a challenge is still no until it is approved. Names no rule text.
    /// </summary>
    public Refusal? Refusal { get; init; }

    /// <summary>For the auditor alone: the rule's own error, the constraint that failed.</summary>
    public string Explanation { get; init; } = "";

    /// <summary>
    /// What has to be met before a secret may leave; empty where nothing has to. One that carries any is a challenge, or
    /// a challenge that became a denial.
    /// </summary>
    public IReadOnlyList<Obligation> Obligations
    {
        get;
        // Decisions that were stored before there was an obligation to store lack the member, and then null comes here.
        init => field = value ?? [];
    } = [];

    /// <summary>
    /// The limits that bind it, whatever its effect: a lease opens only within them, and a denial counts by them. How
    /// much of each is used the store alone knows.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<PolicyLimit> Limits { get; init; } = [];

    /// <summary>The limit that denies what policy would have allowed; null where none does.</summary>
    [JsonIgnore]
    public LimitBreach? Breach { get; init; }

    /// <summary>What people have to approve; null where nobody has to.</summary>
    [JsonIgnore]
    public Obligation.NeedsApproval? Approval => Obligations.OfType<Obligation.NeedsApproval>().FirstOrDefault();

    /// <summary>
    /// What each matching rule in shadow would have made of it; null where none matches, or it never came to the rules. None
    /// of it counts.
    /// </summary>
    public IReadOnlyList<ShadowOutcome>? Shadow { get; init; }

    /// <summary>What is granted where the effect is allow, and would be once approved where it is challenge.</summary>
    public Grant? Grant { get; init; }
}
