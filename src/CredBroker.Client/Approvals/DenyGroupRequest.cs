namespace CredBroker.Client;

/// <summary><c>POST /v1/approvals/deny</c>: refuses all of these, or none.</summary>
public sealed record DenyGroupRequest
{
    /// <summary>The requests, each once; 50 at most. Those of one <see cref="ApprovalGroupResponse"/>, or some of them.</summary>
    public required IReadOnlyList<ApprovalReference> Requests { get; init; }

    /// <summary>Why. The agents may read it.</summary>
    public required string Reason { get; init; }
}
