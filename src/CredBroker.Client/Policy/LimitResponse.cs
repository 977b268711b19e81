using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>A limit that binds a request, whatever the rules say.</summary>
public sealed record LimitResponse
{
    /// <summary>Its name in the policy document.</summary>
    public required string Id { get; init; }

    /// <summary>
    /// What it counts together: <c>instance</c>, <c>workload</c>, <c>task</c>, <c>process</c> or <c>credential</c>.
    /// </summary>
    public required string Per { get; init; }

    /// <summary>How many leases may be not over at once.</summary>
    public int? MaxActive { get; init; }

    /// <summary>How many leases may open within any such time.</summary>
    public LimitRateResponse? MaxIssued { get; init; }

    /// <summary>How many requests of the identity policy may deny within any such time.</summary>
    public LimitRateResponse? MaxDenied { get; init; }

    /// <summary>For how long a breach quarantines the instance that asked; absent where it only refuses.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? QuarantineFor { get; init; }

    /// <summary>True where people are asked to let the one request pass that breaks it; absent where it is refused.</summary>
    public bool? Challenges { get; init; }
}
