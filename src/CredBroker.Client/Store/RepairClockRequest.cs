namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/store/clock/repair</c>: the broker's clock is right, and its store's takes its word.
/// </summary>
public sealed record RepairClockRequest
{
    /// <summary>Why; stands in the audit log.</summary>
    public required string Reason { get; init; }
}
