namespace CredBroker.Client;

/// <summary><c>POST /v1/approvals/approve</c>: agrees to all of these, or to none.</summary>
public sealed record ApproveGroupRequest
{
    /// <summary>The requests, each once; 50 at most. Those of one <see cref="ApprovalGroupResponse"/>, or some of them.</summary>
    public required IReadOnlyList<ApprovalReference> Requests { get; init; }
}
