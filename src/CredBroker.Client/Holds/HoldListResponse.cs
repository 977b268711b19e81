namespace CredBroker.Client;

/// <summary><c>GET /v1/holds</c>: every hold in force, newest first; there are never more than 500.</summary>
public sealed record HoldListResponse
{
    /// <summary>The holds.</summary>
    public required IReadOnlyList<HoldResponse> Holds { get; init; }
}
