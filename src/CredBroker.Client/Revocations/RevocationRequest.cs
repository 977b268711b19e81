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
    /// Quarantine: also refuses new issuance and renewal of what is selected, in the same commit, for so long (<c>2h</c>),
    /// or <c>until-lifted</c>. A lease by its id cannot be held.
    /// </summary>
    public string? Hold { get; init; }

    /// <summary>
    /// True: a selection that reaches nothing is no mistake (CB7006). The order then still refuses requests of its kind
    /// that are under way.
    /// </summary>
    public bool? AllowNone { get; init; }

    /// <summary>The <see cref="Hold"/> that lasts until somebody lifts it.</summary>
    public const string UntilLifted = "until-lifted";
}
