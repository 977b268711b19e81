using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>What one challenge asks of people. Where there are several, all of them have to be met.</summary>
public sealed record ApprovalDemandResponse
{
    /// <summary>The rule that asks; absent where the autonomy gate does, or a limit.</summary>
    public string? RuleId { get; init; }

    /// <summary>The limit that the request would break, and that has people decide; absent where no limit asks.</summary>
    public string? LimitId { get; init; }

    /// <summary>Which bound of that limit it is, in words.</summary>
    public string? LimitSays { get; init; }

    /// <summary>Who may agree; any of them counts.</summary>
    public required IReadOnlyList<ApproverResponse> Approvers { get; init; }

    /// <summary>Who may not, whatever their role or group. Nobody agrees to their own request besides.</summary>
    public required IReadOnlyList<ApproverResponse> NotBy { get; init; }

    /// <summary>How many different people have to agree.</summary>
    public required int Quorum { get; init; }

    /// <summary>Who may agree, too, once nobody has decided for a while; absent: nobody else.</summary>
    public ApprovalEscalationResponse? Escalation { get; init; }

    /// <summary>How long after it was asked the question stands.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan ExpiresAfter { get; init; }

    /// <summary>The longest time box that who agrees may give; absent: none.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? TimeBox { get; init; }

    /// <summary>The agent that alone may redeem the approval; absent: the one that asks.</summary>
    public string? Executor { get; init; }
}
