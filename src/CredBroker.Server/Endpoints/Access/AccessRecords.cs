using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Server.Endpoints.Access;

// The information model of the OpenID AuthZEN Authorization API 1.0. What is required there may be missing here, because
// in a batch it fails one evaluation and not the call; members that are not known are ignored, as the specification wants.

/// <summary>Who: of a person's question anybody; an agent asks for itself.</summary>
internal sealed record AccessSubject
{
    /// <summary><c>agent</c> for the caller itself.</summary>
    public string? Type { get; init; }

    /// <summary>The subject of the identity.</summary>
    public string? Id { get; init; }

    /// <summary>
    /// Of a person's question: the identity's <c>issuer</c>, <c>workload</c>, <c>instance</c>, <c>spiffeId</c>,
    /// <c>trustDomain</c> and <c>proof</c>; every other one is a claim. Of an agent's question nothing.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement>? Properties { get; init; }
}

/// <summary>What is done.</summary>
internal sealed record AccessAction
{
    /// <summary>An action that the catalogue entry offers.</summary>
    public string? Name { get; init; }

    /// <summary>The arguments of the tool call of that name.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Properties { get; init; }
}

/// <summary>What it is done to.</summary>
internal sealed record AccessResource
{
    /// <summary>The name of the catalogue entry.</summary>
    public string? Type { get; init; }

    /// <summary>What the action is about.</summary>
    public string? Id { get; init; }

    /// <summary>The tool call's argument <c>resource</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Properties { get; init; }
}

/// <summary>The circumstances, of which these count.</summary>
internal sealed record AccessContext
{
    /// <summary>The business process; the only one that admits the subject unless given.</summary>
    public string? Process { get; init; }

    /// <summary>The task's id.</summary>
    public string? Task { get; init; }

    /// <summary>The task's purpose.</summary>
    public string? Purpose { get; init; }

    /// <summary>An approval that the caller presents; no part of what is asked.</summary>
    public AccessApproval? Approval { get; init; }
}

/// <summary>An approval, as the one who asked is given it and presents it: it refers to what the broker knows.</summary>
internal sealed record AccessApproval
{
    /// <summary>Its id.</summary>
    public string? Id { get; init; }

    /// <summary>When the last one who had to has agreed.</summary>
    [JsonPropertyName("approved_at")]
    public DateTimeOffset? ApprovedAt { get; init; }

    /// <summary>Until when it holds at most.</summary>
    [JsonPropertyName("approved_until")]
    public DateTimeOffset? ApprovedUntil { get; init; }

    /// <summary>What this broker never gives.</summary>
    public JsonElement? State { get; init; }
}

/// <summary>One question.</summary>
internal record AccessQuestion
{
    /// <summary>Who.</summary>
    public AccessSubject? Subject { get; init; }

    /// <summary>What is done.</summary>
    public AccessAction? Action { get; init; }

    /// <summary>What it is done to.</summary>
    public AccessResource? Resource { get; init; }

    /// <summary>The circumstances.</summary>
    public AccessContext? Context { get; init; }
}

/// <summary>Several questions, and what they have in common.</summary>
internal sealed record AccessQuestions : AccessQuestion
{
    /// <summary>The questions; each takes from its surroundings what it does not say itself.</summary>
    public IReadOnlyList<AccessQuestion>? Evaluations { get; init; }

    /// <summary>How they are answered.</summary>
    public AccessOptions? Options { get; init; }
}

/// <summary>How several questions are answered.</summary>
internal sealed record AccessOptions
{
    /// <summary><c>execute_all</c>, <c>deny_on_first_deny</c> or <c>permit_on_first_permit</c>.</summary>
    [JsonPropertyName("evaluations_semantic")]
    public string? EvaluationsSemantic { get; init; }
}

/// <summary>An answer. It grants nothing: a secret comes from an exchange alone, which decides again.</summary>
internal sealed record AccessDecision
{
    /// <summary>Whether policy allows it.</summary>
    public required bool Decision { get; init; }

    /// <summary>Why not.</summary>
    public AccessDecisionContext? Context { get; init; }
}

/// <summary>Why not, as an exchange would be told; and what it takes for people to be asked.</summary>
internal sealed record AccessDecisionContext
{
    /// <summary>The stable code.</summary>
    public string? Code { get; init; }

    /// <summary>In words; or, where the access request profile speaks, its code, and then the words are the detail.</summary>
    public string? Reason { get; init; }

    /// <summary>In words, where the reason is a code.</summary>
    public string? Detail { get; init; }

    /// <summary>What a request for this denial names it by.</summary>
    [JsonPropertyName("evaluation_id")]
    public string? EvaluationId { get; init; }

    /// <summary>When it was decided.</summary>
    [JsonPropertyName("evaluated_at")]
    public DateTimeOffset? EvaluatedAt { get; init; }

    /// <summary>That people can be asked; the denial is one all the same.</summary>
    [JsonPropertyName("access_request")]
    public AccessRequestable? AccessRequest { get; init; }

    /// <summary>What to do after a denial in spite of an approval: <c>request</c>, <c>retry</c> or <c>none</c>.</summary>
    [JsonPropertyName("next_action")]
    public string? NextAction { get; init; }

    /// <summary>After how many seconds to retry.</summary>
    [JsonPropertyName("retry_after")]
    public int? RetryAfter { get; init; }

    /// <summary>The approval that an allow stands on.</summary>
    public AccessApproval? Approval { get; init; }
}

/// <summary>That people can be asked about a denial, at the address that the discovery document names.</summary>
/// <param name="ExpiresAt">Until when.</param>
internal sealed record AccessRequestable([property: JsonPropertyName("expires_at")] DateTimeOffset ExpiresAt);

/// <summary>Answers in the order of their questions, up to the one that ended it.</summary>
/// <param name="Evaluations">The answers.</param>
internal sealed record AccessDecisions(IReadOnlyList<AccessDecision> Evaluations);

/// <summary>What this policy decision point says of itself.</summary>
internal sealed record AccessConfiguration
{
    /// <summary>Its identifier: the address that was asked.</summary>
    [JsonPropertyName("policy_decision_point")]
    public required string PolicyDecisionPoint { get; init; }

    /// <summary>The Access Evaluation API.</summary>
    [JsonPropertyName("access_evaluation_endpoint")]
    public required string AccessEvaluationEndpoint { get; init; }

    /// <summary>The Access Evaluations API.</summary>
    [JsonPropertyName("access_evaluations_endpoint")]
    public required string AccessEvaluationsEndpoint { get; init; }

    /// <summary>The access requests of the Access Request and Approval Profile.</summary>
    [JsonPropertyName("access_request_endpoint")]
    public required string AccessRequestEndpoint { get; init; }

    /// <summary>What it can beyond the API.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }
}

/// <summary>How they are written and read: unknown members are ignored, one that stands there twice is refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(AccessQuestion))]
[JsonSerializable(typeof(AccessQuestions))]
[JsonSerializable(typeof(AccessDecision))]
[JsonSerializable(typeof(AccessDecisions))]
[JsonSerializable(typeof(AccessConfiguration))]
[JsonSerializable(typeof(AccessBound))]
[JsonSerializable(typeof(AccessSubmitted))]
[JsonSerializable(typeof(AccessCancel))]
[JsonSerializable(typeof(AccessTaskResponse))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class AccessJson : JsonSerializerContext;
