namespace CredBroker.Client;

/// <summary>What applying a document would end, as the leases stand now.</summary>
public sealed record PolicyPreviewResponse
{
    /// <summary>The version in force, which it was compared with; 0 when none is.</summary>
    public required long PolicyVersion { get; init; }

    /// <summary>SHA-256 of the document and its schemas; absent where it has faults.</summary>
    public string? Hash { get; init; }

    /// <summary>Every fault that would keep it from being applied; absent where there is none.</summary>
    public IReadOnlyList<string>? Faults { get; init; }

    /// <summary>How many leases are pending or active.</summary>
    public required int Live { get; init; }

    /// <summary>How many of them it would end.</summary>
    public required int EndedCount { get; init; }

    /// <summary>Those, each with the rule or code that no longer allows it; 10,000 at most.</summary>
    public required IReadOnlyList<PolicyPreviewLease> Ended { get; init; }

    /// <summary>How many would end earlier than they are to.</summary>
    public required int ShortenedCount { get; init; }

    /// <summary>Those, each with its new end; 10,000 at most.</summary>
    public required IReadOnlyList<PolicyPreviewLease> Shortened { get; init; }

    /// <summary>Ids of leases whose record is damaged: any new version ends them. Absent where there are none.</summary>
    public IReadOnlyList<string>? Unreadable { get; init; }

    /// <summary>How many requests to people are open: pending, or approved and not redeemed yet.</summary>
    public int OpenApprovals { get; init; }

    /// <summary>Those of them that it would take back.</summary>
    public IReadOnlyList<PolicyPreviewApproval> Voided { get; init; } = [];

    /// <summary>How many time boxes are open.</summary>
    public int OpenTimeBoxes { get; init; }

    /// <summary>How many of them it would end.</summary>
    public int EndedTimeBoxesCount { get; init; }

    /// <summary>Those; 10,000 at most.</summary>
    public IReadOnlyList<PolicyPreviewTimeBox> EndedTimeBoxes { get; init; } = [];
}
