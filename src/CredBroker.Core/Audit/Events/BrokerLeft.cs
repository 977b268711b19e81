using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>A broker process stopped in good order, and others go on with the stream.</summary>
public sealed record BrokerLeft : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "broker.left";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The process, by the id that it has for as long as it runs.</summary>
    public required string Broker { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json) => json.WriteString("broker", Broker);
}
