using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A broker process opened its stream. It names the head that it found, so that no stream can be left out of a log
/// unnoticed, and a crash shows as a predecessor that was never closed.
/// </summary>
public sealed record StreamOpened : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "stream.opened";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The head of the stream before it; null in an empty store.</summary>
    public required StreamPredecessor? Predecessor { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteStartArray("heads");
        Predecessor?.WriteTo(json);
        json.WriteEndArray();
    }
}
