namespace CredBroker.Core.Audit.Events;

/// <summary>Every lease of an order has been claimed.</summary>
public sealed record RevocationEnumerated : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "revocation.enumerated";

    /// <inheritdoc/>
    public override string Type => TypeName;
}
