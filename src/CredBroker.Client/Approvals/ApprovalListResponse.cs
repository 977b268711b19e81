namespace CredBroker.Client;

/// <summary>What a person may decide now, oldest first.</summary>
public sealed record ApprovalListResponse
{
    /// <summary>The open questions; where groups are asked for, those that are in none.</summary>
    public required IReadOnlyList<ApprovalResponse> Approvals { get; init; }

    /// <summary>Those that may be decided together; only where they are asked for.</summary>
    public IReadOnlyList<ApprovalGroupResponse>? Groups { get; init; }

    /// <summary>How the caller decides.</summary>
    public ApproverLoadResponse? You { get; init; }
}
