namespace CredBroker.Client;

/// <summary>One of the brokers that share a store, as the store sees it.</summary>
public sealed record HealthBrokerResponse
{
    /// <summary>What its audit records call it (<c>broker</c>); absent where the store does not say.</summary>
    public string? Id { get; init; }

    /// <summary>Since when it is connected to the store without a break.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When the store heard of it last.</summary>
    public DateTimeOffset? SeenAt { get; init; }
}
