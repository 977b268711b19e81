using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>202 to <c>POST /v1/credentials</c>: people are asked, and nothing was issued.</summary>
public sealed record ApprovalRequestResponse
{
    /// <summary>
    /// Names the question. Poll it with the token that asked, and redeem it by the same body with this as
    /// <see cref="ExchangeRequest.ApprovalId"/>.
    /// </summary>
    public required string ApprovalId { get; init; }

    /// <summary>How long to wait before looking again.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan Interval { get; init; }

    /// <summary>Until when it can be agreed to and redeemed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What people are asked to agree to: they see the same.</summary>
    public required string Digest { get; init; }
}
