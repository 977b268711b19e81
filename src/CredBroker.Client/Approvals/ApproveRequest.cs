using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary><c>POST /v1/approvals/{id}/approve</c>.</summary>
public sealed record ApproveRequest
{
    /// <summary>The digest that the person saw: another one is refused.</summary>
    public required string Digest { get; init; }

    /// <summary>
    /// For how long, counted from the first secret, the same may be issued again without asking; absent: not at all. No
    /// longer than <see cref="ApprovalResponse.TimeBoxOffered"/>. Where several people agree, all have to give one, and the
    /// shortest counts.
    /// </summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? TimeBox { get; init; }
}
