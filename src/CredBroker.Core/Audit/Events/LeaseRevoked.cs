namespace CredBroker.Core.Audit.Events;

/// <summary>Vault confirmed a revocation, or a sweep proved that no secret exists.</summary>
public sealed record LeaseRevoked : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.revoked";

    /// <inheritdoc/>
    public override string Type => TypeName;
}
