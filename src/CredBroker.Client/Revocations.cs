namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/revocations</c>: which leases to revoke. All fields that are set must hold; at least one is set, or
/// <see cref="Everything"/> is true together with <see cref="Confirm"/>.
/// </summary>
public sealed record RevocationRequest
{
    /// <summary>One lease.</summary>
    public string? Lease { get; init; }

    /// <summary>An entry of the policy's <c>agents</c>.</summary>
    public string? Agent { get; init; }

    /// <summary>The workload's name.</summary>
    public string? Workload { get; init; }

    /// <summary>One running instance.</summary>
    public string? Instance { get; init; }

    /// <summary>The token's subject.</summary>
    public string? Subject { get; init; }

    /// <summary>A task's id.</summary>
    public string? Task { get; init; }

    /// <summary>A business process.</summary>
    public string? Process { get; init; }

    /// <summary>A catalogue entry.</summary>
    public string? Credential { get; init; }

    /// <summary>The process owner's subject.</summary>
    public string? Owner { get; init; }

    /// <summary>The identity's issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>Every lease there is; needs <see cref="Confirm"/>.</summary>
    public bool? Everything { get; init; }

    /// <summary>Says that <see cref="Everything"/> is meant.</summary>
    public bool? Confirm { get; init; }

    /// <summary>
    /// True: nothing is revoked; the answer (200, a <see cref="RevocationResponse"/>) lists what would be.
    /// </summary>
    public bool? DryRun { get; init; }

    /// <summary>Why; stands in the audit log.</summary>
    public string? Reason { get; init; }

    /// <summary>
    /// Also refuses new issuance for so long. Not supported yet: a broker that does not know holds refuses the order
    /// rather than ignore this.
    /// </summary>
    public string? Hold { get; init; }
}

/// <summary>202 to <c>POST /v1/revocations</c>: the order is durable and being carried out.</summary>
/// <param name="RevocationId">Where its progress is asked for.</param>
public sealed record RevocationAcceptedResponse(string RevocationId);

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

    /// <summary>How many leases stand in each state.</summary>
    public required IReadOnlyDictionary<string, int> Counts { get; init; }

    /// <summary>The leases, at most 1,000 of them.</summary>
    public required IReadOnlyList<LeaseResponse> Leases { get; init; }

    /// <summary>What may still be accepted, by whom and until when.</summary>
    public required IReadOnlyList<StillValidResponse> StillValid { get; init; }
}
