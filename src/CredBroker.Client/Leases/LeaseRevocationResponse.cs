namespace CredBroker.Client;

/// <summary>Where a lease's revocation stands.</summary>
public sealed record LeaseRevocationResponse
{
    /// <summary>
    /// <c>expiry</c>, <c>admin</c>, <c>quarantine</c>, <c>policy-change</c>, <c>task-closed</c>, <c>released</c> or <c>recovery</c>.
    /// </summary>
    public required string Cause { get; init; }

    /// <summary>When it was first asked for.</summary>
    public DateTimeOffset? RequestedAt { get; init; }

    /// <summary>When Vault confirmed it, or the lease ended.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>
    /// Who says so, where it was confirmed on a person's word because neither Vault nor its backend could prove it.
    /// </summary>
    public string? ConfirmedBy { get; init; }

    /// <summary>For people with a role: who asked.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>For people with a role: the order that it belongs to.</summary>
    public string? RevocationId { get; init; }

    /// <summary>For people with a role: how many attempts failed.</summary>
    public int? Attempts { get; init; }

    /// <summary>For people with a role: what the last attempt failed with.</summary>
    public string? LastError { get; init; }

    /// <summary>For people with a role: when the next attempt is due.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }
}
