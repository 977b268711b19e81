namespace CredBroker.Client;

/// <summary>
/// <c>GET /v1/revocations/{id}</c>: how far an order is. Also the answer to a dry run, then without id and times.
/// </summary>
public sealed record RevocationResponse
{
    /// <summary>The order's id; absent for a dry run.</summary>
    public string? RevocationId { get; init; }

    /// <summary>True for a dry run.</summary>
    public bool? DryRun { get; init; }

    /// <summary>Why, in the admin's words.</summary>
    public string? Reason { get; init; }

    /// <summary>Who ordered it.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset? RequestedAt { get; init; }

    /// <summary>Whether every lease that it reaches is known, and none is left that is not revoked or ended.</summary>
    public required bool Complete { get; init; }

    /// <summary>
    /// True: the broker's store has not taken the order, and nothing that is done for it is on record. Never together
    /// with <see cref="Complete"/>.
    /// </summary>
    public bool? RecordMissing { get; init; }

    /// <summary>
    /// With <see cref="RecordMissing"/>: how many leases Vault has confirmed gone, whatever their state here says.
    /// </summary>
    public int? DeadAtVault { get; init; }

    /// <summary>How many leases stand in each state.</summary>
    public required IReadOnlyDictionary<string, int> Counts { get; init; }

    /// <summary>The leases, at most 1,000 of them.</summary>
    public required IReadOnlyList<LeaseResponse> Leases { get; init; }

    /// <summary>What may still be accepted, by whom and until when.</summary>
    public required IReadOnlyList<StillValidResponse> StillValid { get; init; }
}
