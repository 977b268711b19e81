using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>Whom a challenge asks, too, where nobody has decided for so long.</summary>
public sealed record ApprovalEscalationResponse
{
    /// <summary>How long after it was asked.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan After { get; init; }

    /// <summary>Who may agree from then on, beside the others.</summary>
    public required IReadOnlyList<ApproverResponse> To { get; init; }

    /// <summary>When that is, for a question that was asked; absent where it is over before, or was not asked yet.</summary>
    public DateTimeOffset? At { get; init; }
}
