namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A request was refused before its caller was verified; the envelope's reason is the refusal's code.
/// </summary>
public sealed record RequestRefused : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "request.refused";

    /// <inheritdoc/>
    public override string Type => TypeName;
}
