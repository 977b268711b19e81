namespace CredBroker.Core.State;

/// <summary>
/// A task as the store knows it: owned by the (issuer, workload) whose lease first opened it; a closed id is never
/// reused.
/// </summary>
public sealed record BrokerTask
{
    /// <summary>The agent's id for it.</summary>
    public required string Id { get; init; }

    /// <summary>The business process.</summary>
    public required string Process { get; init; }

    /// <summary>The opener's issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>The opener's workload; where the settings give it no instance, its subject stands in.</summary>
    public required string Workload { get; init; }

    /// <summary>When it was closed; null while it is open.</summary>
    public DateTimeOffset? ClosedAt { get; init; }
}
