namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/revocations</c>: which leases to revoke. At least one field of the selection is set, or
/// <see cref="Everything"/> is true together with <see cref="Confirm"/>.
/// </summary>
public sealed record RevocationRequest : LeaseSelection
{
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
