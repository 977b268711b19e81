using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>One request of a group: what may differ from the others.</summary>
public sealed record GroupedApprovalResponse
{
    /// <summary>The question.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What is agreed to: it has to be sent back.</summary>
    public required string Digest { get; init; }

    /// <summary>When it was asked.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Until when it can be agreed to and redeemed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Who asks.</summary>
    public required IdentityResponse Requester { get; init; }

    /// <summary>The task's id.</summary>
    public required string Task { get; init; }

    /// <summary>What the secret is for.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>How long the secret lives, counted from when it is issued; it cannot be renewed.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan Ttl { get; init; }

    /// <summary>Who has agreed so far.</summary>
    public required IReadOnlyList<ApprovalAgreementResponse> Agreements { get; init; }

    /// <summary>What the agent says.</summary>
    public required ApprovalStatementsResponse Statements { get; init; }
}
