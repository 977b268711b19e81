namespace CredBroker.Client;

/// <summary><c>POST /v1/approvals/{id}/revoke-box</c>.</summary>
public sealed record RevokeTimeBoxRequest
{
    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Whether what was issued in it is revoked, too; absent or false: it ends by its own time.</summary>
    public bool? Leases { get; init; }
}
