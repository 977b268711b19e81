namespace CredBroker.Client;

/// <summary><c>POST /v1/policy/rollback</c>: what an earlier version said becomes the next version.</summary>
public sealed record RollbackPolicyRequest
{
    /// <summary>The earlier version.</summary>
    public required long Version { get; init; }

    /// <summary>Why; stands in the audit log and beside the new version. At most 1,000 characters.</summary>
    public required string Reason { get; init; }
}
