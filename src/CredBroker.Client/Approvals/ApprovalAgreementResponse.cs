using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>Who has agreed, and when.</summary>
/// <param name="Issuer">The person's issuer.</param>
/// <param name="Subject">The person's subject.</param>
/// <param name="At">When.</param>
public sealed record ApprovalAgreementResponse(string Issuer, string Subject, DateTimeOffset At)
{
    /// <summary>The time box that the person gave; absent where they gave none.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? TimeBox { get; init; }
}
