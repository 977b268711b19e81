namespace CredBroker.Client;

/// <summary>Open time boxes, oldest first.</summary>
public sealed record TimeBoxListResponse
{
    /// <summary>A page of them.</summary>
    public required IReadOnlyList<TimeBoxResponse> TimeBoxes { get; init; }

    /// <summary>The cursor of the next page; absent on the last.</summary>
    public string? Next { get; init; }
}
