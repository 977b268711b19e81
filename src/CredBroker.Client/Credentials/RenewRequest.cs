using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary><c>POST /v1/credentials/{leaseId}/renew</c>. The answer is the lease.</summary>
public sealed record RenewRequest
{
    /// <summary>
    /// The wished life from now on; absent means what was granted at first. It never passes the decision's limit.
    /// </summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? Ttl { get; init; }
}
