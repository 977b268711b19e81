namespace CredBroker.Client;

/// <summary><c>GET /v1/requests</c>: what people have approved and left to the caller, oldest first.</summary>
public sealed record ExecutorRequestListResponse
{
    /// <summary>The requests; empty where the caller is nobody's executor.</summary>
    public required IReadOnlyList<ExecutorRequestResponse> Requests { get; init; }

    /// <summary>The cursor of the next page; absent on the last.</summary>
    public string? Next { get; init; }
}
