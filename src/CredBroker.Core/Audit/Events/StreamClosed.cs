namespace CredBroker.Core.Audit.Events;

/// <summary>A broker process stopped in good order: the last event of its stream.</summary>
public sealed record StreamClosed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "stream.closed";

    /// <inheritdoc/>
    public override string Type => TypeName;
}
