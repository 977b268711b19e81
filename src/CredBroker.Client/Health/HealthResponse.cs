namespace CredBroker.Client;

/// <summary>
/// <c>GET /health/live</c>, <c>/health/ready</c>, <c>/health/issuing</c>: 200 with <c>ok</c>, or 503 with
/// <c>unavailable</c> and the part that is to blame.
/// </summary>
public sealed record HealthResponse
{
    /// <summary><c>ok</c> or <c>unavailable</c>.</summary>
    public required string Status { get; init; }

    /// <summary>What was looked at: <c>store</c>, <c>policy</c>, <c>vault</c>, …</summary>
    public required IReadOnlyList<HealthPartResponse> Parts { get; init; }

    /// <summary>
    /// How many brokers share the store, this one included; absent where nobody asked the store, or it does not say.
    /// </summary>
    public int? Brokers { get; init; }

    /// <summary>Those brokers, by when they came; absent where the store can be one broker's alone.</summary>
    public IReadOnlyList<HealthBrokerResponse>? StoreBrokers { get; init; }
}
