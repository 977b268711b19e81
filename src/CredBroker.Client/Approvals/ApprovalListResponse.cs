namespace CredBroker.Client;

/// <summary>What a person may decide now, oldest first.</summary>
public sealed record ApprovalListResponse
{
    /// <summary>The open questions.</summary>
    public required IReadOnlyList<ApprovalResponse> Approvals { get; init; }

    /// <summary>How the caller decides.</summary>
    public ApproverLoadResponse? You { get; init; }
}
