namespace CredBroker.Client;

/// <summary><c>POST /v1/approvals/{id}/approve</c>.</summary>
public sealed record ApproveRequest
{
    /// <summary>The digest that the person saw: another one is refused.</summary>
    public required string Digest { get; init; }
}
