using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>So many within any period of this length.</summary>
public sealed record LimitRateResponse
{
    /// <summary>How many.</summary>
    public required int Count { get; init; }

    /// <summary>The length.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan Per { get; init; }
}
