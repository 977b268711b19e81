namespace CredBroker.Client;

/// <summary>That an owner of processes is gone, or is back.</summary>
public sealed record OwnerRequest
{
    /// <summary>The person's issuer, as the policy names it.</summary>
    public required string Issuer { get; init; }

    /// <summary>The person's subject, as the policy names it.</summary>
    public required string Subject { get; init; }

    /// <summary>Why. It stands in the audit log.</summary>
    public required string Reason { get; init; }
}
