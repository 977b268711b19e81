namespace CredBroker.Client;

/// <summary><c>GET /v1/leases</c>: a page of leases, newest first.</summary>
public sealed record LeaseListResponse
{
    /// <summary>The leases.</summary>
    public required IReadOnlyList<LeaseResponse> Leases { get; init; }

    /// <summary>The <c>cursor</c> of the next page; absent at the end.</summary>
    public string? Next { get; init; }
}
