using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary><c>POST /v1/policy/evaluate</c>: what would policy say? Nothing is issued and no lease is opened.</summary>
public sealed record EvaluateRequest
{
    /// <summary>Who would ask.</summary>
    public required EvaluateIdentity Identity { get; init; }

    /// <summary>The task.</summary>
    public required TaskDeclaration Task { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>The actions.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>What the actions are about.</summary>
    public string? Resource { get; init; }

    /// <summary>The wished life.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? Ttl { get; init; }

    /// <summary>The tool call.</summary>
    public ToolCallDeclaration? ToolCall { get; init; }
}

/// <summary>An identity as it would have been verified.</summary>
public sealed record EvaluateIdentity
{
    /// <summary><c>oidc</c> or <c>jwt-svid</c>.</summary>
    public required string Proof { get; init; }

    /// <summary>The issuer; for a SPIFFE identity <c>spiffe://&lt;trust domain&gt;</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>The subject.</summary>
    public required string Subject { get; init; }

    /// <summary>The workload's name; absent means the subject.</summary>
    public string? Workload { get; init; }

    /// <summary>The running instance.</summary>
    public string? Instance { get; init; }

    /// <summary>The SPIFFE ID.</summary>
    public string? SpiffeId { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>The claims that rules may read.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Claims { get; init; }
}

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

    /// <summary>More for the policy's author: a rule's own error, the constraint that failed.</summary>
    public string? Explanation { get; init; }
}

/// <summary>A condition of the autonomy gate.</summary>
/// <param name="Name"><c>process-tolerates</c>, <c>owner</c>, <c>policy</c> or <c>attributable</c>.</param>
/// <param name="Holds">Whether it holds.</param>
public sealed record GateConditionResponse(string Name, bool Holds);
