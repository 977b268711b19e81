namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A verified caller's request was denied; the envelope's reason is the refusal's code. Where policy was asked, its
/// details are the decision record as the store has serialized it.
/// </summary>
public sealed record RequestDenied : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "request.denied";

    /// <inheritdoc/>
    public override string Type => TypeName;
}
