namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A request was allowed; its lease is pending. Its details are everything that the decision was made from: the
/// decision record as the store has serialized it.
/// </summary>
public sealed record RequestAllowed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "request.allowed";

    /// <inheritdoc/>
    public override string Type => TypeName;
}
