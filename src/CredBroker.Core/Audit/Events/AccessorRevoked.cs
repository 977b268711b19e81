namespace CredBroker.Core.Audit.Events;

/// <summary>The accessor of a lease without a Vault lease id was revoked; confirmation follows.</summary>
public sealed record AccessorRevoked : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "lease.accessor-revoked";

    /// <inheritdoc/>
    public override string Type => TypeName;
}
