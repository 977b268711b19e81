using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>A question to people. All of it but <see cref="Statements"/> is what the broker has verified or resolved.</summary>
public sealed record ApprovalResponse
{
    /// <summary>The question.</summary>
    public required string ApprovalId { get; init; }

    /// <summary><c>pending</c>, <c>approved</c>, <c>denied</c>, <c>expired</c>, <c>voided</c> or <c>redeemed</c>.</summary>
    public required string State { get; init; }

    /// <summary>What is agreed to: it has to be sent back.</summary>
    public required string Digest { get; init; }

    /// <summary>When it was asked.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Until when it can be agreed to and redeemed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Who asks.</summary>
    public required IdentityResponse Requester { get; init; }

    /// <summary>The business process.</summary>
    public required string Process { get; init; }

    /// <summary>Its owner; absent where it has none.</summary>
    public OwnerResponse? Owner { get; init; }

    /// <summary>The task's id.</summary>
    public required string Task { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary><c>read</c>, <c>write</c>, <c>external</c> or <c>privileged</c>.</summary>
    public required string Access { get; init; }

    /// <summary><c>low</c>, <c>medium</c> or <c>high</c>.</summary>
    public required string Impact { get; init; }

    /// <summary>Whether what is done with it can be undone.</summary>
    public required bool Reversible { get; init; }

    /// <summary>What a revocation reaches: <c>backend</c>, <c>crl</c>, <c>introspection</c> or <c>none</c>.</summary>
    public required string Revocation { get; init; }

    /// <summary>What the secret is for.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>The credential's parameters: which of its secrets it is; absent where there are none.</summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

    /// <summary>How long the secret lives, counted from when it is issued; it cannot be renewed.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan Ttl { get; init; }

    /// <summary>The longest time box that may be given with a yes; absent where none is offered.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? TimeBoxOffered { get; init; }

    /// <summary>The time box that everybody who agreed so far has given; absent where somebody has given none.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? TimeBox { get; init; }

    /// <summary>The rules that challenge it.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>The conditions of the autonomy gate, and whether each holds.</summary>
    public required IReadOnlyList<GateConditionResponse> Gate { get; init; }

    /// <summary>The agent that alone redeems it; absent: the one that asks.</summary>
    public string? Executor { get; init; }

    /// <summary>What is asked of whom.</summary>
    public required IReadOnlyList<ApprovalDemandResponse> Demands { get; init; }

    /// <summary>Who has agreed so far.</summary>
    public required IReadOnlyList<ApprovalAgreementResponse> Agreements { get; init; }

    /// <summary>What the agent says.</summary>
    public required ApprovalStatementsResponse Statements { get; init; }

    /// <summary>What the instance that asks has had in the last hour; only where one request is looked at.</summary>
    public RecentActivityResponse? Activity { get; init; }

    /// <summary>Who closed it.</summary>
    public string? ClosedBy { get; init; }

    /// <summary>Why it was denied or taken back.</summary>
    public string? Reason { get; init; }

    /// <summary>The lease that it was redeemed for.</summary>
    public string? LeaseId { get; init; }
}
