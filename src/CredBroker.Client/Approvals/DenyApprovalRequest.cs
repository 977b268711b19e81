namespace CredBroker.Client;

/// <summary><c>POST /v1/approvals/{id}/deny</c>.</summary>
public sealed record DenyApprovalRequest
{
    /// <summary>Why. The agent may read it.</summary>
    public required string Reason { get; init; }
}
