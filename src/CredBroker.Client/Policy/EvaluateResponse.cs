using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>What policy would say, explained.</summary>
public sealed record EvaluateResponse
{
    /// <summary><c>allow</c>, <c>challenge</c> or <c>deny</c>.</summary>
    public required string Effect { get; init; }

    /// <summary>The version of the policy that decided; 0 for a document that is not in force.</summary>
    public required long PolicyVersion { get; init; }

    /// <summary>SHA-256 of the policy that decided.</summary>
    public required string PolicyHash { get; init; }

    /// <summary>What the agent would be told: the code. Absent where it is allowed.</summary>
    public string? Code { get; init; }

    /// <summary>What the agent would be told. Absent where it is allowed.</summary>
    public string? Detail { get; init; }

    /// <summary>The life that would be granted.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? Ttl { get; init; }

    /// <summary>The secret's whole life, renewals included.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? MaxTtl { get; init; }

    /// <summary>True where less than the wished life would be granted.</summary>
    public bool? TtlCut { get; init; }

    /// <summary>The entry of <c>agents</c> that admits the identity; absent where none does.</summary>
    public string? Agent { get; init; }

    /// <summary>The rule that decides; absent where none does.</summary>
    public string? RuleId { get; init; }

    /// <summary>Every rule that matches, in the document's order.</summary>
    public required IReadOnlyList<string> MatchedRules { get; init; }

    /// <summary>The autonomy gate's conditions.</summary>
    public required IReadOnlyList<GateConditionResponse> Gate { get; init; }

    /// <summary>
    /// The limits that would bind it; absent where there are none. How much of them is used is not part of the answer.
    /// </summary>
    public IReadOnlyList<LimitResponse>? Limits { get; init; }

    /// <summary>Who would be asked, where the effect is <c>challenge</c>; empty otherwise.</summary>
    public IReadOnlyList<ApprovalDemandResponse> Approvals
    {
        get;
        // A broker that knows no challenges does not send it, and then null comes here.
        init => field = value ?? [];
    } = [];

    /// <summary>What matching rules in shadow would have made of it; absent where none matches.</summary>
    public IReadOnlyList<ShadowRuleResponse>? Shadow { get; init; }

    /// <summary>More for the policy's author: a rule's own error, the constraint that failed.</summary>
    public string? Explanation { get; init; }
}
