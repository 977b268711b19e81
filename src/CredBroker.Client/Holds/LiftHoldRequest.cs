namespace CredBroker.Client;

/// <summary><c>POST /v1/holds/{id}/lift</c>: what the hold refused may be issued again.</summary>
public sealed record LiftHoldRequest
{
    /// <summary>Why; stands in the audit log.</summary>
    public required string Reason { get; init; }
}
